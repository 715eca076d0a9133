"""Turn each line of a file into another text, such as a translation. The output is text, or JSON lines.

A line without text is answered with an empty line.
"""

import argparse
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from seqserve.commands.lines import add_file_flags, answer_lines
from seqserve.commands.model_flags import add_model_flags, number_up_to, open_chosen
from seqserve.transducer.beam import Search
from seqserve.transducer.model import TransduceRow
from seqserve.transducer.pipeline import DEFAULT_TOKENS, MAX_BEAMS, MAX_TOKENS, read_text, result_of
from seqserve.transducer.transducer import Transducer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file, the model, the search and the format."""
    add_file_flags(parser, "UTF-8 text, one text per line")
    add_model_flags(parser)
    parser.add_argument(
        "--beams",
        type=number_up_to(MAX_BEAMS),
        default=1,
        metavar="N",
        help=f"width of the beam search, up to {MAX_BEAMS}; 1 is greedy (default 1)",
    )
    parser.add_argument(
        "--max-tokens",
        type=number_up_to(MAX_TOKENS),
        default=DEFAULT_TOKENS,
        metavar="N",
        help=f"most tokens of an answer, up to {MAX_TOKENS} (default {DEFAULT_TOKENS})",
    )
    parser.add_argument(
        "--format", choices=("text", "jsonl"), default="text", help="the texts alone, or JSON lines (default text)"
    )


def run(given: argparse.Namespace) -> int:
    """Transduce; raises BundleError and InputError."""
    bundle = open_chosen(given, Transducer).bundle
    search = Search(given.beams, given.max_tokens)

    def answer(texts: Sequence[NDArray[np.int32]]) -> Iterator[bytes]:
        for found in bundle.transduce([TransduceRow(ids, search) for ids in texts]):
            result = result_of(bundle, found)
            yield (result.text.encode() if given.format == "text" else msgspec.json.encode(result)) + b"\n"

    return answer_lines(given, lambda text: read_text(text, bundle, ("text",)), answer)
