"""A peer of the shipped tagger: CRFsuite with the usual features, on the test sets of benchmarks.ner_quality.

    pip install python-crfsuite
    python -m benchmarks.ner_crfsuite [--lower-copy] [--data DIR] [--json FILE]

It learns from the train sets of UNER EWT, WNUT-17, BTC and wikigold, with the labels of benchmarks.ner_quality, and is
scored as bundles are: tokens are given, as written and in lower case. Nothing in it is random: one run is its score.
"""

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType, ModuleType

from benchmarks import run
from benchmarks.ner_quality import SETS, Result, read_set, rows_of, table
from seqserve.errors import SeqserveError
from seqserve.training.corpora import corpus_file
from seqserve.training.reading.conll import Sentence, map_labels, read_conll
from seqserve.training.taggers.evaluate import lower_cased
from seqserve.training.taggers.metrics import score_tags

TRAIN_FILES: Mapping[str, str] = MappingProxyType(
    {
        "uner_ewt": "uner_ewt/train.conll.gz",
        "wnut17": "wnut17/train.conll",
        "btc": "btc/train.conll",
        "wikigold": "wikigold/train.conll",
    }
)
LONGEST_AFFIX = 4
NEIGHBOURS = (-2, -1, 1, 2)
_BORDER = "\t"  # stands beyond both ends of a sentence; no token holds it


@dataclass(frozen=True, slots=True)
class LearningOptions:
    """c1 and c2 are the weights of the L1 and L2 penalties, max_iterations is of L-BFGS (OWL-QN where c1 > 0)."""

    c1: float = 0.1
    c2: float = 0.01
    max_iterations: int = 100


@dataclass(frozen=True, slots=True)
class Cost:
    """What learning or tagging took; core_s is the processor time of this process, which works in one thread."""

    num_tokens: int
    wall_s: float
    core_s: float


def pycrfsuite() -> ModuleType:
    """The peer's module; raises SeqserveError when it is not installed."""
    try:
        return importlib.import_module("pycrfsuite")
    except ImportError:
        raise SeqserveError("CRFsuite is not installed: pip install python-crfsuite") from None


def read_train_set(corpus: str) -> list[Sentence]:
    """Train sentences of one of SETS with the labels PER, LOC and ORG; raises CorporaError when absent."""
    return map_labels(read_conll(corpus_file(TRAIN_FILES[corpus])), SETS[corpus])


def shape_of(word: str) -> str:
    """ "McDonald's-2" as "XxXxxxxx'x-d": X for capitals, x for other letters, d for digits, the rest as it is."""
    return "".join(
        "X" if letter.isupper() else "x" if letter.isalpha() else "d" if letter.isdigit() else letter for letter in word
    )


def squeezed(shape: str) -> str:
    """ "Xxxxx" as "Xx": runs of one character become one."""
    return "".join(letter for index, letter in enumerate(shape) if letter != shape[index - 1 : index])


@lru_cache(maxsize=100_000)  # words repeat
def word_features(word: str) -> tuple[str, ...]:
    """Features that a token has by itself: its form, affixes (in lower case), shape and flags."""
    lower, shape = word.lower(), shape_of(word)
    features = [f"word={word}", f"lower={lower}", f"shape={shape}", f"squeezed={squeezed(shape)}"]
    for length in range(1, min(LONGEST_AFFIX, len(lower)) + 1):
        features += [f"prefix={lower[:length]}", f"suffix={lower[-length:]}"]
    flags = {
        "capital": word[0].isupper(),
        "capitals": word.isupper(),
        "inner capital": any(letter.isupper() for letter in word[1:]),
        "digit": any(letter.isdigit() for letter in word),
        "digits": word.isdigit(),
        "no letter": not any(letter.isalnum() for letter in word),
        "hyphen": "-" in word,
    }
    return (*features, *(name for name, is_set in flags.items() if is_set))


def sentence_features(tokens: Sequence[str]) -> list[list[str]]:
    """Features of each token: its own, forms and shapes of two neighbours on each side, bigrams with the next ones."""
    pad = max(NEIGHBOURS)
    edge = [_BORDER] * pad
    lower = [*edge, *map(str.lower, tokens), *edge]
    shapes = [*edge, *(squeezed(shape_of(token)) for token in tokens), *edge]
    rows = []
    for here, token in enumerate(tokens, start=pad):
        row = ["bias", *word_features(token)]
        for offset in NEIGHBOURS:
            row += [f"{offset} lower={lower[here + offset]}", f"{offset} squeezed={shapes[here + offset]}"]
        for first in (here - 1, here):
            place = first - here
            row += [
                f"{place} pair={lower[first]}\t{lower[first + 1]}",
                f"{place} shapes={shapes[first]}\t{shapes[first + 1]}",
            ]
        rows.append(row)
    return rows


def learn(
    sentences: Sequence[Sentence], model: Path, options: LearningOptions = LearningOptions(), *, verbose: bool = False
) -> Cost:
    """Write a model learned from sentences in BIO; verbose shows CRFsuite's log on stderr."""
    wall, core = time.perf_counter(), time.process_time()
    trainer = pycrfsuite().Trainer(algorithm="lbfgs", params=asdict(options), verbose=verbose)
    for sentence in sentences:
        trainer.append(sentence_features(sentence.tokens), sentence.tags)
    with redirect_stdout(sys.stderr):
        trainer.train(str(model))
    return Cost(_num_tokens(sentences), time.perf_counter() - wall, time.process_time() - core)


def measure(
    model: Path, sets: Mapping[tuple[str, str], Sequence[Sentence]], *, name: str = "CRFsuite"
) -> tuple[list[Result], Cost]:
    """Scores on every (corpus, split), as written and in lower case, and what tagging took, features included."""
    tagger = pycrfsuite().Tagger()
    tagger.open(str(model))
    word_features.cache_clear()  # what learning left there would make tagging look faster
    results = []
    num_tokens, wall_s, core_s = 0, 0.0, 0.0
    for (corpus, split), sentences in sets.items():
        for case, given in (("as written", sentences), ("lower case", lower_cased(sentences))):
            wall, core = time.perf_counter(), time.process_time()
            found = [tagger.tag(sentence_features(sentence.tokens)) for sentence in given]
            wall_s += time.perf_counter() - wall
            core_s += time.process_time() - core
            num_tokens += _num_tokens(given)
            scores = score_tags([sentence.tags for sentence in given], found)
            results.append(Result(name, corpus, split, case, scores))
    return results, Cost(num_tokens, wall_s, core_s)


def _num_tokens(sentences: Sequence[Sentence]) -> int:
    return sum(len(sentence.tokens) for sentence in sentences)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ner_crfsuite", description=__doc__.split("\n")[0])
    parser.add_argument("--data", metavar="DIR", help="data folder (SEQSERVE_DATA, or data)")
    parser.add_argument("--splits", nargs="+", default=["test", "dev"], choices=["test", "dev"], metavar="SPLIT")
    parser.add_argument("--lower-copy", action="store_true", help="learn from a lower-cased copy of the text as well")
    default = LearningOptions()
    parser.add_argument("--c1", type=float, default=default.c1, help=f"weight of the L1 penalty ({default.c1})")
    parser.add_argument("--c2", type=float, default=default.c2, help=f"weight of the L2 penalty ({default.c2})")
    parser.add_argument(
        "--max-iterations",
        type=_positive,
        default=default.max_iterations,
        metavar="N",
        help=f"({default.max_iterations})",
    )
    parser.add_argument(
        "--limit", type=_positive, metavar="N", help="only the first N sentences of each train set: a trial"
    )
    parser.add_argument("--verbose", action="store_true", help="CRFsuite's log on stderr")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write scores and costs here, rates as fractions")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Learn, print the table and what learning and tagging took; optionally write JSON."""
    arguments = _parser().parse_args(words)
    if arguments.data is not None:
        os.environ["SEQSERVE_DATA"] = arguments.data
    pycrfsuite()  # say that it is absent before the data are read
    options = LearningOptions(arguments.c1, arguments.c2, arguments.max_iterations)
    sets = {(corpus, split): read_set(corpus, split) for split in arguments.splits for corpus in SETS}
    train = [sentence for corpus in SETS for sentence in read_train_set(corpus)[: arguments.limit]]
    if arguments.lower_copy:
        train += lower_cased(train)
    name = "CRFsuite, with a lower-cased copy" if arguments.lower_copy else "CRFsuite"
    print(f"learning from {len(train)} sentences, {_num_tokens(train)} tokens", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.crfsuite"
        learning = learn(train, model, options, verbose=arguments.verbose)
        model_bytes = model.stat().st_size
        results, tagging = measure(model, sets, name=name)
    print(f"## {name}\n\n{table(results)}\n")
    print(
        f"Learned from {learning.num_tokens:,} tokens in {learning.wall_s:.0f} s ({learning.core_s:.0f} core-seconds; "
        f"c1 {options.c1:g}, c2 {options.c2:g}, at most {options.max_iterations} iterations); "
        f"model of {model_bytes / 1e6:.1f} MB. "
        f"Tagged {tagging.num_tokens:,} tokens, {tagging.num_tokens / tagging.core_s:,.0f} per core-second."
    )
    if arguments.json is not None:
        costs = {"options": asdict(options), "learning": asdict(learning), "tagging": asdict(tagging)}
        report = {**costs, "model_bytes": model_bytes, "scores": rows_of(results)}
        arguments.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    run(main)
