"""`python -m training evaluate` on a classifier: accuracy, and precision and recall of each label."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence

import numpy as np

from bundle.classifier import ClassifierBundle
from bundle.errors import SeqserveError
from training.classifiers.classifier_config import LabelledFile
from training.reading.labelled_text import LabelledText, read_labelled
from training.taggers.evaluate_tagger import read_mapping

KIND = "classifier"
ARGUMENTS = ("label_column", "label", "final_mark", "csv", "map", "column", "distinct", "part")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that only a classifier takes."""
    group = parser.add_argument_group("classifiers")
    group.add_argument("--csv", action="store_true", help="the file is csv with a header, not tsv")
    group.add_argument("--label-column", type=int, default=1, metavar="N", help="column of the labels (1)")
    group.add_argument("--label", metavar="LABEL", help="the label of every text, for a file of one class")
    group.add_argument("--final-mark", action="store_true", help="the label is the text's last character, taken off it")


def run(bundle: ClassifierBundle, arguments: argparse.Namespace) -> int:
    """Print the scores; raises SeqserveError when the file cannot be used."""
    if arguments.file is None:
        raise SeqserveError("a classifier is evaluated on FILE, texts with labels")
    if arguments.label and arguments.final_mark:
        raise SeqserveError("--label and --final-mark exclude each other")
    file = LabelledFile(
        file=str(arguments.file),
        format="csv" if arguments.csv else "tsv",
        text_column=arguments.column,
        label="file" if arguments.label else "final-mark" if arguments.final_mark else "column",
        label_column=arguments.label_column,
        file_label=arguments.label or "",
        map=None if arguments.map is None else read_mapping(arguments.map),
        part=tuple(arguments.part),
        distinct=arguments.distinct,
    )
    texts = read_labelled(arguments.file, file, bundle.labels)
    scores = evaluate_classifier(bundle, texts)
    if not scores["num_texts"]:
        raise SeqserveError(f"{arguments.file}: it holds no text with one of the labels {', '.join(bundle.labels)}")
    print(json.dumps(scores, indent=1, ensure_ascii=False) if arguments.json else report(scores))
    return 0


def evaluate_classifier(bundle: ClassifierBundle, texts: Sequence[LabelledText]) -> dict[str, object]:
    """Scores over texts that have a token; those longer than the bundle takes are cut, and counted in `num_cut`.

    log_prob: mean ln P(label | text) in nats.
    """
    longest = bundle.manifest.limits.max_tokens
    read = [(tokens, each.label) for each in texts if (tokens := bundle.tokenize(each.text))]
    probs = bundle.classify([tokens[:longest] for tokens, _ in read])
    gold = [bundle.labels.index(label) for _, label in read]
    found = [int(row.argmax()) for row in probs]
    right = Counter(wanted for wanted, given in zip(gold, found, strict=True) if wanted == given)
    num_gold, num_found = Counter(gold), Counter(found)
    log_probs = [float(np.log(row[wanted])) for row, wanted in zip(probs, gold, strict=True)]
    return {
        "num_texts": len(read),
        "num_cut": sum(len(tokens) > longest for tokens, _ in read),
        "accuracy": right.total() / len(read) if read else 0.0,
        "log_prob": sum(log_probs) / len(read) if read else 0.0,
        "labels": {
            label: {
                "precision": right[at] / num_found[at] if num_found[at] else 0.0,
                "recall": right[at] / num_gold[at] if num_gold[at] else 0.0,
                "num_gold": num_gold[at],
                "num_found": num_found[at],
            }
            for at, label in enumerate(bundle.labels)
        },
    }


def report(scores: dict[str, object]) -> str:
    """A few lines of text."""
    labels = scores["labels"]
    assert isinstance(labels, dict)
    width = max(map(len, labels))
    lines = [
        f"texts: {scores['num_texts']}; accuracy: {scores['accuracy']:.2%}; mean log P: {scores['log_prob']:.4f}; "
        f"cut at the longest: {scores['num_cut']}"
    ]
    lines += [
        f"{label:>{width}}: precision: {each['precision']:7.2%}; recall: {each['recall']:7.2%}; {each['num_gold']}"
        for label, each in labels.items()
    ]
    return "\n".join(lines)
