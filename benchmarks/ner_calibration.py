"""Expected calibration error of entity scores, and F1 by way of decoding, on the English sets.

    python -m benchmarks.ner_calibration models/ner-en/2 [BUNDLE …] [--splits test dev] [--data DIR]

Tokens are given and labels mapped as by benchmarks.ner_quality. The error is in percent, over 15 bins of equal width,
each weighted by its entities (Guo et al. 2017). A bundle that cannot decode by expected F1 has no such column.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import run
from benchmarks.ner_quality import PLAIN, SETS, TITLES, read_set
from seqserve.loading import load_bundle
from seqserve.tagger.decoding import BEST_PATH, EXPECTED_F1
from seqserve.tagger.model import TaggerBundle
from seqserve.tagger.pipeline import make_options
from seqserve.training.reading.conll import Sentence
from seqserve.training.taggers.judging import Judged, judge


def of_label(judged: Judged, label: str) -> Judged:
    """Entities of one label; num_gold stays that of all labels."""
    is_kept = np.array([each == label for each in judged.labels], np.bool_)
    return Judged(judged.scores[is_kept], judged.is_right[is_kept], [label] * int(is_kept.sum()), judged.num_gold)


def row(title: str, bundle: TaggerBundle, sentences: Sequence[Sentence]) -> str:
    """One row of the table: entities, error of all and of each label, F1 of each way of decoding."""
    judged = {
        decode: judge(bundle, sentences, make_options(bundle, labels=None, min_score=None, include=[], decode=decode))
        for decode in bundle.manifest.decodings
    }
    best = judged[BEST_PATH]
    errors = [best.expected_error(), *(of_label(best, label).expected_error() for label in PLAIN)]
    f1s = [f"{100 * judged[decode].f1():.2f}" if decode in judged else "" for decode in (BEST_PATH, EXPECTED_F1)]
    cells = [str(len(best.scores)), *(f"{100 * error:.1f}" for error in errors), *f1s]
    return f"| {title} | {' | '.join(cells)} |"


def table(bundle: TaggerBundle, splits: Sequence[str]) -> str:
    """Markdown: one row for each set and split."""
    lines = [
        f"| set | entities | error, % | {' | '.join(PLAIN)} | F1 `{BEST_PATH}` | F1 `{EXPECTED_F1}` |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for split in splits:
        lines += [row(f"{TITLES[corpus]} {split}", bundle, read_set(corpus, split)) for corpus in SETS]
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    """Print one table for each bundle."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ner_calibration", description=__doc__.split("\n")[0])
    parser.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE", help="folder of a tagger bundle")
    parser.add_argument("--data", metavar="DIR", help="data folder (SEQSERVE_DATA, or data)")
    parser.add_argument("--splits", nargs="+", default=["test", "dev"], choices=["test", "dev"], metavar="SPLIT")
    arguments = parser.parse_args(words)
    if arguments.data is not None:
        os.environ["SEQSERVE_DATA"] = arguments.data
    for folder in arguments.bundles:
        print(f"## {folder}\n\n{table(load_bundle(folder, TaggerBundle), arguments.splits)}\n", flush=True)
    return 0


if __name__ == "__main__":
    run(main)
