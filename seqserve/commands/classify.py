"""Label each line of a file. The output is JSON lines, each a result as of /v1/classify, or label TAB score.

A line without text is answered with an empty line.
"""

import argparse
from collections.abc import Iterator, Sequence

import msgspec

from seqserve.classifier.classifier import Classifier
from seqserve.classifier.pipeline import read_text, result_of
from seqserve.commands.lines import add_file_flags, answer_lines
from seqserve.commands.model_flags import add_model_flags, open_chosen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file, the model and the format."""
    add_file_flags(parser, "UTF-8 text, one text per line")
    add_model_flags(parser)
    parser.add_argument(
        "--format", choices=("jsonl", "tsv"), default="jsonl", help="JSON lines, or label TAB score (default jsonl)"
    )


def run(given: argparse.Namespace) -> int:
    """Classify; raises BundleError and InputError."""
    bundle = open_chosen(given, Classifier).bundle

    def answer(texts: Sequence[list[str]]) -> Iterator[bytes]:
        for probs in bundle.classify(texts):
            result = result_of(probs, bundle.labels)
            if given.format == "tsv":
                yield f"{result.label}\t{result.score}\n".encode()
            else:
                yield msgspec.json.encode(result) + b"\n"

    return answer_lines(given, lambda text: read_text(text, bundle, ("text",)), answer)
