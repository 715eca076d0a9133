"""`seqserve train evaluate` on a classifier: accuracy, and precision and recall of each label."""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from operator import add
from typing import Self

import numpy as np

from seqserve.classifier.model import ClassifierBundle
from seqserve.errors import SeqserveError, UsageError
from seqserve.training.reading.labelled_text import LabelledFile, LabelledText, read_labelled
from seqserve.training.taggers.evaluate import read_mapping

KIND = "classifier"
ARGUMENTS = ("label_column", "label", "final_mark", "csv", "map", "column", "distinct", "part")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that only a classifier takes."""
    group = parser.add_argument_group("classifiers")
    group.add_argument("--csv", action="store_true", help="the file is csv with a header, not tsv")
    group.add_argument("--label-column", type=int, default=1, metavar="N", help="column of the labels (1)")
    group.add_argument("--label", metavar="LABEL", help="the label of every text, for a file of one class")
    group.add_argument("--final-mark", action="store_true", help="the label is the text's last character, taken off it")


def run(bundle: ClassifierBundle, arguments: argparse.Namespace) -> tuple[dict[str, object], str]:
    """Return the measures for JSON, and a report for people; raises SeqserveError when the file cannot be used."""
    if arguments.file is None:
        raise UsageError("a classifier is evaluated on FILE, texts with labels")
    if arguments.label and arguments.final_mark:
        raise UsageError("--label and --final-mark exclude each other")
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
    scores = score_answers(answer_texts(bundle, texts), bundle.labels)
    if not scores["num_texts"]:
        raise SeqserveError(f"{arguments.file}: no text has one of the labels {', '.join(bundle.labels)}")
    return scores, report(scores)


@dataclass(frozen=True)
class Answers:
    """A classifier's answers, one entry a text; labels by their index."""

    gold: tuple[int, ...] = ()
    found: tuple[int, ...] = ()
    log_probs: tuple[float, ...] = ()  # ln P(gold label | text) in nats
    num_cut: int = 0

    def __add__(self, more: Self) -> Self:
        return type(self)(*map(add, astuple(self), astuple(more)))


def answer_texts(bundle: ClassifierBundle, texts: Sequence[LabelledText]) -> Answers:
    """Answer texts that have a token; those longer than the bundle takes are cut, and counted in `num_cut`."""
    longest = bundle.manifest.limits.max_tokens
    read = [(tokens, each.label) for each in texts if (tokens := bundle.tokenize(each.text))]
    probs = bundle.classify([tokens[:longest] for tokens, _ in read])
    gold = tuple(bundle.labels.index(label) for _, label in read)
    return Answers(
        gold,
        tuple(int(row.argmax()) for row in probs),
        tuple(float(np.log(row[wanted])) for row, wanted in zip(probs, gold, strict=True)),
        sum(len(tokens) > longest for tokens, _ in read),
    )


def score_answers(answers: Answers, labels: Sequence[str]) -> dict[str, object]:
    """Return scores of all answers and of each label; log_prob: mean ln P(label | text) in nats."""
    right = Counter(wanted for wanted, given in zip(answers.gold, answers.found, strict=True) if wanted == given)
    num_texts, num_gold, num_found = len(answers.gold), Counter(answers.gold), Counter(answers.found)
    return {
        "num_texts": num_texts,
        "num_cut": answers.num_cut,
        "accuracy": right.total() / num_texts if num_texts else 0.0,
        "log_prob": sum(answers.log_probs) / num_texts if num_texts else 0.0,
        "labels": {
            label: {
                "precision": right[at] / num_found[at] if num_found[at] else 0.0,
                "recall": right[at] / num_gold[at] if num_gold[at] else 0.0,
                "num_gold": num_gold[at],
                "num_found": num_found[at],
            }
            for at, label in enumerate(labels)
        },
    }


def report(scores: dict[str, object]) -> str:
    """Return a few lines of text."""
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
