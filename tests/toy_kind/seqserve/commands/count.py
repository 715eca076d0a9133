"""Count the words of each line of a file; JSON lines (a result of /v1/count each) out."""

import argparse
from collections.abc import Iterator, Sequence

import msgspec

from seqserve.commands.lines import add_file_flags, answer_lines
from seqserve.commands.model_flags import add_model_flags, open_chosen
from seqserve.counter.counter import Counter
from seqserve.counter.pipeline import read_text, result_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file and the model."""
    add_file_flags(parser, "UTF-8 text, one text per line")
    add_model_flags(parser)


def run(given: argparse.Namespace) -> int:
    """Count; raises BundleError and InputError."""
    bundle = open_chosen(given, Counter).bundle

    def answer(rows: Sequence[list[str]]) -> Iterator[bytes]:
        for count in bundle.run(rows):
            yield msgspec.json.encode(result_of(count)) + b"\n"

    return answer_lines(given, lambda text: read_text(text, bundle, ("text",)), answer)
