"""Span F1 of tagger bundles on the English test sets, as written and in lower case.

    python -m benchmarks.ner_quality models/ner-en/2 [BUNDLE …] [--data DIR] [--json FILE]

Tokens are given; scores are conlleval's, over PER, LOC and ORG: other labels of a set count as no names,
WNUT's corporation and group as ORG. Several bundles (seeds) also get their mean and spread.
"""

import argparse
import json
import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from benchmarks import run
from seqserve.loading import load_bundle
from seqserve.training.corpora import corpus_file
from seqserve.training.reading.conll import Sentence, map_labels, read_conll
from seqserve.training.taggers.evaluate import as_dict, evaluate_bundle, lower_cased
from seqserve.training.taggers.metrics import SpanScores

PLAIN: Mapping[str, str] = MappingProxyType({label: label for label in ("PER", "LOC", "ORG")})
WNUT: Mapping[str, str] = MappingProxyType({"person": "PER", "location": "LOC", "corporation": "ORG", "group": "ORG"})
SETS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"uner_ewt": PLAIN, "wnut17": WNUT, "btc": PLAIN, "wikigold": PLAIN}
)
TITLES: Mapping[str, str] = MappingProxyType(
    {"uner_ewt": "UNER EWT", "wnut17": "WNUT-17", "btc": "BTC", "wikigold": "wikigold"}
)


@dataclass(frozen=True, slots=True)
class Result:
    """Scores of one bundle on one file, as written or in lower case."""

    bundle: str
    corpus: str
    split: str
    case: str
    scores: SpanScores


def read_set(corpus: str, split: str) -> list[Sentence]:
    """Sentences of a split of one of SETS with the labels PER, LOC and ORG; raises CorporaError when absent."""
    return map_labels(read_conll(corpus_file(f"{corpus}/{split}.conll")), SETS[corpus])


def measure(folder: Path, sets: Mapping[tuple[str, str], Sequence[Sentence]]) -> list[Result]:
    """Scores of one bundle on every (corpus, split), as written and in lower case."""
    bundle = load_bundle(folder)
    results = []
    for (corpus, split), sentences in sets.items():
        for case, tokens in (("as written", sentences), ("lower case", lower_cased(sentences))):
            results.append(Result(str(folder), corpus, split, case, evaluate_bundle(bundle, tokens)))
    return results


def table(results: Sequence[Result]) -> str:
    """Markdown: one row for each set and split with F1, precision, recall and the F1 of each label."""
    lines = [
        "| set | text | F1 | precision | recall | PER | LOC | ORG |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for each in results:
        overall, labels = each.scores.overall, each.scores.labels
        rates = [overall.f1, overall.precision, overall.recall]
        rates += [labels[label].f1 if label in labels else 0.0 for label in PLAIN]
        cells = " | ".join(f"{100 * rate:.1f}" for rate in rates)
        lines.append(f"| {TITLES[each.corpus]} {each.split} | {each.case} | {cells} |")
    return "\n".join(lines)


def summary(results: Sequence[Result]) -> str:
    """Markdown: F1 of each set and split over all bundles, as mean, spread (sample deviation) and extremes."""
    groups: dict[tuple[str, str, str], list[float]] = {}
    for each in results:
        groups.setdefault((each.corpus, each.split, each.case), []).append(100 * each.scores.f1)
    lines = ["| set | text | F1 mean ± spread | lowest | highest |", "|---|---|---:|---:|---:|"]
    for (corpus, split, case), rates in groups.items():
        lines.append(
            f"| {TITLES[corpus]} {split} | {case} | {statistics.mean(rates):.1f} ± {statistics.stdev(rates):.1f} "
            f"| {min(rates):.1f} | {max(rates):.1f} |"
        )
    return "\n".join(lines)


def rows_of(results: Sequence[Result]) -> list[dict[str, object]]:
    """Scores for a JSON file; rates are fractions."""
    return [
        {"bundle": each.bundle, "set": each.corpus, "split": each.split, "text": each.case, **as_dict(each.scores)}
        for each in results
    ]


def main(words: Sequence[str] | None = None) -> int:
    """Print one table for each bundle and, for several, their mean; optionally write JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ner_quality", description=__doc__.split("\n")[0])
    parser.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE", help="folder of a tagger bundle")
    parser.add_argument("--data", metavar="DIR", help="data folder (SEQSERVE_DATA, or data)")
    parser.add_argument("--splits", nargs="+", default=["test", "dev"], choices=["test", "dev"], metavar="SPLIT")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all scores here, rates as fractions")
    arguments = parser.parse_args(words)
    if arguments.data is not None:
        os.environ["SEQSERVE_DATA"] = arguments.data
    sets = {(corpus, split): read_set(corpus, split) for split in arguments.splits for corpus in SETS}
    results: list[Result] = []
    for folder in arguments.bundles:
        found = measure(folder, sets)
        results += found
        print(f"## {folder}\n\n{table(found)}\n", flush=True)
    if len(arguments.bundles) > 1:
        print(f"## mean of {len(arguments.bundles)} bundles\n\n{summary(results)}\n")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(rows_of(results), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    run(main)
