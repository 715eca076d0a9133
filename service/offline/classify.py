"""`python -m service classify FILE`."""

from collections.abc import Mapping, Sequence

import msgspec

from seqserve.classifier.pipeline import result_of
from seqserve.service.offline.common import (
    InputError,
    batches_of,
    make_parser,
    numbered_lines,
    open_offline,
    opened_files,
)


def classify(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Classify the lines of a file; JSON lines (a result of /v1/classify each) or label TAB score out.

    Raises BundleError, and InputError for an empty line or one that is longer than the model takes.
    """
    parser = make_parser("classify", classify.__doc__, "UTF-8 text, one text per line", environment)
    parser.add_argument("--format", choices=("jsonl", "tsv"), default="jsonl", help="(default jsonl)")
    given = parser.parse_args(arguments)
    bundle = open_offline(given, "classify").bundle
    longest = bundle.manifest.limits.max_tokens
    number = 0
    with opened_files(given) as (source, target):
        for lines in batches_of(line for _, line in numbered_lines(source, given.file, command="classify")):
            texts = []
            for line in lines:
                number += 1
                tokens = bundle.tokenize(line)
                if not 1 <= len(tokens) <= longest:
                    found = f"more than {longest} tokens" if tokens else "no token"
                    raise InputError(f"{given.file}, line {number}: has {found}; a text has 1 to {longest}.")
                texts.append(tokens)
            for probs in bundle.classify(texts):
                result = result_of(probs, bundle.labels)
                if given.format == "tsv":
                    target.write(f"{result.label}\t{result.score}\n".encode())
                else:
                    target.write(msgspec.json.encode(result) + b"\n")
            target.flush()
    return 0
