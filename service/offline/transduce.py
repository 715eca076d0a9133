"""`python -m service transduce FILE`."""

from collections.abc import Mapping, Sequence

import msgspec

from seqserve.service.offline.common import (
    InputError,
    batches_of,
    make_parser,
    numbered_lines,
    open_offline,
    opened_files,
)
from seqserve.transducer.beam import Search
from seqserve.transducer.model import TransduceRow
from seqserve.transducer.pipeline import DEFAULT_TOKENS, MAX_BEAMS, MAX_TOKENS, result_of


def transduce(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Turn the lines of a file into other texts, such as translations; text or JSON lines (as of /v1/transduce) out.

    Raises BundleError, and InputError for an empty line or one that is longer than the model takes.
    """
    parser = make_parser("transduce", transduce.__doc__, "UTF-8 text, one text per line", environment)
    parser.add_argument("--beams", type=int, default=1, metavar="N", help="width of the beam search (1, greedy)")
    parser.add_argument(
        "--max-tokens", type=int, default=DEFAULT_TOKENS, metavar="N", help=f"of an answer (default {DEFAULT_TOKENS})"
    )
    parser.add_argument("--format", choices=("text", "jsonl"), default="text", help="(default text)")
    given = parser.parse_args(arguments)
    for flag, value, most in (("--beams", given.beams, MAX_BEAMS), ("--max-tokens", given.max_tokens, MAX_TOKENS)):
        if not 1 <= value <= most:
            parser.error(f"{flag} must lie in 1 to {most}, not {value}")
    search = Search(given.beams, given.max_tokens)
    bundle = open_offline(given, "transduce").bundle
    longest = bundle.manifest.limits.max_source_tokens
    number = 0
    with opened_files(given) as (source, target):
        for lines in batches_of(line for _, line in numbered_lines(source, given.file, command="transduce")):
            rows = []
            for line in lines:
                number += 1
                ids = bundle.source_ids(line)
                if not 1 <= len(ids) <= longest:
                    number_of = f"more than {longest} tokens" if len(ids) else "no token"
                    raise InputError(f"{given.file}, line {number}: has {number_of}; a text has 1 to {longest}.")
                rows.append(TransduceRow(ids, search))
            for found in bundle.transduce(rows):
                result = result_of(bundle, found)
                target.write((result.text.encode() if given.format == "text" else msgspec.json.encode(result)) + b"\n")
            target.flush()
    return 0
