"""Scoring in bulk: tokens a core-second of the score graph of `lm-en` and of KenLM's query, on the same tokens.

    python -m benchmarks.peers.bulk_scoring [TEXT] [--train TEXT …] [--num-texts 3000] [--rounds 5] [--json FILE]

TEXT and --train are books (standard_ebooks/valid.txt.xz and train-00.txt.xz of the data folder), cut into sentences
with the bundle's tokeniser; words that the bundle does not know are one word to KenLM. KenLM is built from its source
package and learns a 5-gram model, modified Kneser-Ney, nothing pruned, once; both stay in .peers/kenlm. What is timed,
in one thread and in rounds that take each once: query, from a file of all the tokens, less what it takes for an empty
file; the bundle, from the first --num-texts sentences by way of their ids, rows of like length together. The end of
each sentence counts as a token. A model of one file is smaller than one of all the text of `lm-en`: that favours KenLM.
"""

import argparse
import json
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from benchmarks import kenlm_tools, run
from benchmarks.kenlm_baseline import spelling
from benchmarks.kenlm_tools import Kenlm, KenlmError
from benchmarks.peers.bulk_tagging import Speed, report
from benchmarks.peers.requirements import ENVIRONMENTS
from seqserve.language.model import LanguageModelBundle
from seqserve.loading import load_bundle
from seqserve.training.corpora import corpus_file
from seqserve.training.reading.text import TextFile, TextOptions, read_sequences
from seqserve.vocabulary.tokens import EOS_ID

Sentences = Sequence[Sequence[str]]
_ORDER = 5


def sentences_of(bundle: LanguageModelBundle, file: Path) -> Iterator[Sequence[str]]:
    """Sentences of a file of books, as tokens."""
    tokenization = bundle.manifest.tokenization
    options = TextOptions(tokenization=tokenization.name, lookup=tuple(tokenization.lookup), unit="sentence")
    return (tokens for tokens in read_sequences(file, TextFile(str(file), format="books"), options) if tokens)


def kenlm_of(bundle: LanguageModelBundle, train: Sequence[Path], folder: Path) -> Kenlm:
    """KenLM's programs and model, made if they are not there; raises KenlmError."""
    programs = kenlm_tools.build(folder)
    binary = folder / f"order{_ORDER}.binary"
    if binary.exists():
        return Kenlm(programs, binary)
    text = chain.from_iterable(sentences_of(bundle, file) for file in train)
    return kenlm_tools.train(programs, kenlm_tools.mapped(text, lambda word: spelling(bundle, word)), folder)


def bundle_core_s(bundle: LanguageModelBundle, sentences: Sentences) -> float:
    """Core-seconds of this process to look up and score sentences."""
    core = time.process_time()
    bundle.score([[*map(bundle.vocabulary.lookup, tokens), EOS_ID] for tokens in sentences])
    return time.process_time() - core


def query_core_s(kenlm: Kenlm, sentences: Path, nothing: Path) -> float:
    """Core-seconds of `query` on a file of sentences, less those on an empty one: what loading takes."""
    return _child_core_s(kenlm, sentences) - _child_core_s(kenlm, nothing)


def _child_core_s(kenlm: Kenlm, text: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with text.open("rb") as lines:
        command = [str(kenlm.programs / "query"), "-v", "summary", str(kenlm.binary)]
        result = subprocess.run(command, stdin=lines, capture_output=True, check=False)
    if result.returncode:
        raise KenlmError(f"query failed: {result.stderr[-500:].decode(errors='replace').strip()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(
    bundle: LanguageModelBundle, kenlm: Kenlm, sentences: Sentences, *, num_texts: int, num_rounds: int
) -> list[Speed]:
    """Both in turn, `num_rounds` times after one that does not count; the bundle reads the first `num_texts`."""
    fewer = sentences[:num_texts]
    num_tokens = [sum(len(tokens) + 1 for tokens in each) for each in (fewer, sentences)]
    with tempfile.TemporaryDirectory() as folder:
        text, nothing = Path(folder, "text"), Path(folder, "nothing")
        spelled = kenlm_tools.mapped(sentences, lambda word: spelling(bundle, word))
        text.write_text("".join(" ".join(tokens) + "\n" for tokens in spelled), encoding="utf-8")
        nothing.touch()
        rounds = [(bundle_core_s(bundle, fewer), query_core_s(kenlm, text, nothing)) for _ in range(num_rounds + 1)]
    speeds = []
    for name, total, seconds in zip(("bundle", "KenLM"), num_tokens, zip(*rounds[1:], strict=True), strict=True):
        values = [total / each for each in seconds]
        speeds.append(Speed(name, statistics.median(values), min(values), max(values)))
    return speeds


def main(words: Sequence[str] | None = None) -> int:
    """Print the table, and write it as JSON where asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.bulk_scoring", description=__doc__.split("\n")[0])
    parser.add_argument("text", nargs="?", type=Path, metavar="TEXT", help="(standard_ebooks/valid.txt.xz)")
    parser.add_argument("--train", nargs="+", type=Path, metavar="TEXT", help="(standard_ebooks/train-00.txt.xz)")
    parser.add_argument("--bundle", type=Path, default=Path("models/lm-en/1"), metavar="BUNDLE")
    parser.add_argument("--environments", type=Path, default=ENVIRONMENTS, metavar="FOLDER")
    parser.add_argument(
        "--num-texts", type=int, default=3000, metavar="N", help="sentences that the bundle scores (3000)"
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="(5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the speeds here")
    arguments = parser.parse_args(words)
    bundle = load_bundle(arguments.bundle, LanguageModelBundle)
    text = arguments.text or corpus_file("standard_ebooks/valid.txt.xz")
    train = arguments.train or [corpus_file("standard_ebooks/train-00.txt.xz")]
    kenlm = kenlm_of(bundle, train, arguments.environments / "kenlm")
    sentences = list(sentences_of(bundle, text))
    speeds = measure(bundle, kenlm, sentences, num_texts=arguments.num_texts, num_rounds=arguments.rounds)
    print(report(speeds))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([asdict(each) for each in speeds], indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    run(main)
