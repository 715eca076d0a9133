"""Span F1 by the number of training sentences of one domain: from a shipped tagger, and from nothing.

    python -m benchmarks.learning_curve --start BUNDLE [--domain politics] [--sizes 10 25 50 100 200] [--seeds 1 2 3]

The domain is one of CrossNER's, with its own labels; the bundle must not have seen it. Each seed draws its own
sentences. Both trainings have the same sizes and keep their last epoch, so nothing is chosen on held-out text; the one
from nothing reads the vectors of training/configs/ner-en.toml. Scores are those of the bundles on the test file.
"""

import argparse
import contextlib
import os
import random
import statistics
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import run
from seqserve.loading import load_bundle
from seqserve.tagger.model import TaggerBundle
from seqserve.tagger.tags import spans_from_tags
from seqserve.training.corpora import corpus_file
from seqserve.training.export_run import export_run
from seqserve.training.load_config import config_from
from seqserve.training.reading.conll import Sentence, read_conll
from seqserve.training.runs import fit
from seqserve.training.starts import read_start
from seqserve.training.taggers.evaluate import evaluate_bundle
from seqserve.training.warm_start import completed

DOMAINS = ("politics", "science", "music", "literature", "ai")
NER_EN = Path(__file__).parents[1] / "training" / "configs" / "ner-en.toml"


@dataclass(frozen=True)
class Curve:
    """What is trained on, and how: options of both trainings, and those of the one from nothing."""

    start: str
    train: Sequence[Sentence]
    test: Sequence[Sentence]
    vectors: Sequence[str]
    batch_size: int = 4
    epochs: int = 20

    def configuration(self, file: Path, sentences: Sequence[Sentence], *, seed: int, start: str) -> dict[str, Any]:
        """Return the table of a training on a file with these sentences; `start`: "" for one from nothing."""
        corpus = [{"file": str(file)}]
        table: dict[str, Any] = {
            "name": "curve",
            "version": "1",
            "description": "One point of a learning curve",
            "licence": "MIT",
            "seed": seed,
            "data": {"labels": labels_of(sentences), "train": corpus, "dev": corpus},
            "loop": {"epochs": self.epochs, "batch_size": self.batch_size, "keep": "last", "start_from": start},
        }
        if start:
            return completed(table)
        model = {**read_start(self.start).settings["model"]}
        model["words"] = {**model["words"], "vectors": list(self.vectors)}
        return {**table, "model": model}


def labels_of(sentences: Sequence[Sentence]) -> list[str]:
    """Return the labels of sentences, sorted."""
    return sorted({span.label for sentence in sentences for span in spans_from_tags(sentence.tags)})


def draw(sentences: Sequence[Sentence], size: int, seed: int) -> list[Sentence]:
    """Return `size` of the sentences: the first of an order that the seed alone decides."""
    return random.Random(seed).sample(list(sentences), len(sentences))[:size]


def measure(curve: Curve, size: int, seed: int) -> Mapping[str, tuple[float, float]]:
    """Return F1 on the test sentences (a fraction) and the seconds of the training, from the start and from nothing."""
    sentences = draw(curve.train, size, seed)
    found = {}
    for name, start in (("start", curve.start), ("nothing", "")):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            write_conll(folder / "train.conll", sentences)
            config = config_from(curve.configuration(folder / "train.conll", sentences, seed=seed, start=start))
            began = time.monotonic()
            with contextlib.redirect_stdout(sys.stderr):  # what is printed there is the table alone
                fit(config, folder / "run")
                seconds = time.monotonic() - began
                bundle = load_bundle(export_run(folder / "run", folder, card=None), TaggerBundle)
            found[name] = evaluate_bundle(bundle, curve.test).f1, seconds
    return found


def write_conll(path: Path, sentences: Sequence[Sentence]) -> None:
    """Write tokens and tags in two columns."""
    blocks = ("".join(f"{token}\t{tag}\n" for token, tag in zip(s.tokens, s.tags, strict=True)) for s in sentences)
    path.write_text("\n".join(blocks), encoding="utf-8")


def row(size: int, points: Sequence[Mapping[str, tuple[float, float]]]) -> str:
    """Return a row of the table: means of F1 in percent, with the spread over seeds, and of the seconds."""
    cells = [str(size)]
    for name in ("start", "nothing"):
        scores = [100 * point[name][0] for point in points]
        spread = f" ± {statistics.stdev(scores):.1f}" if len(scores) > 1 else ""
        cells.append(f"{statistics.mean(scores):.1f}{spread}")
    cells += [f"{statistics.mean(point[name][1] for point in points):.0f}" for name in ("start", "nothing")]
    return f"| {' | '.join(cells)} |"


def main(words: Sequence[str] | None = None) -> int:
    """Print one row for each number of sentences."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning_curve", description=__doc__.split("\n")[0])
    parser.add_argument("--start", required=True, metavar="BUNDLE", help="tagger that never saw the domain")
    parser.add_argument("--domain", default="politics", choices=DOMAINS)
    parser.add_argument("--sizes", nargs="+", type=int, default=[10, 25, 50, 100, 200], metavar="N")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], metavar="N")
    parser.add_argument("--epochs", type=int, default=Curve.epochs, metavar="N")
    parser.add_argument("--data", metavar="DIR", help="data folder (SEQSERVE_DATA, or data)")
    arguments = parser.parse_args(words)
    if arguments.data is not None:
        os.environ["SEQSERVE_DATA"] = arguments.data
    train, test = (read_conll(corpus_file(f"crossner/{arguments.domain}.{part}.conll")) for part in ("train", "test"))
    vectors = tomllib.loads(NER_EN.read_text(encoding="utf-8"))["model"]["words"]["vectors"]
    curve = Curve(arguments.start, train, test, vectors, epochs=arguments.epochs)
    print("| sentences | F1 from the start | F1 from nothing | seconds from the start | seconds from nothing |")
    print("|---:|---:|---:|---:|---:|", flush=True)
    for size in arguments.sizes:
        print(row(size, [measure(curve, size, seed) for seed in arguments.seeds]), flush=True)
    return 0


if __name__ == "__main__":
    run(main)
