"""Write new text. The output is JSON lines, each a sample as of /v1/sample, or the texts alone."""

import argparse
import math
import secrets
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from seqserve.commands.model_flags import add_model_flags, open_chosen
from seqserve.errors import InvalidRequestError, UsageError
from seqserve.language.language_model import LanguageModel
from seqserve.language.options import SampleOptions
from seqserve.language.sampling.spec import SEED_BITS

_SCHEMA: dict[str, Any] = msgspec.json.schema(SampleOptions)["$defs"]["SampleOptions"]["properties"]
"""The options in the HTTP contract, with their limits and descriptions."""

_NUMBERS = (
    "n",
    "seed",
    "max_tokens",
    "min_tokens",
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "repetition_penalty",
)
_LISTS = {"stop": "TEXT", "banned": "TOKEN"}
_SWITCHES = ("allow_unknown", "ignore_eos")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, the format, and a flag for every option of a sample."""
    add_model_flags(parser)
    parser.add_argument(
        "--format", choices=("jsonl", "text"), default="jsonl", help="JSON lines, or the texts alone (default jsonl)"
    )
    parser.add_argument("--prompt", metavar="TEXT", help="what the text goes on from (default the start of a text)")
    parser.add_argument("--include", action="append", choices=("tokens",), help="add every token to each JSON line")
    fields = {field.name: field for field in msgspec.structs.fields(SampleOptions)}
    for name in _NUMBERS:
        default = "drawn, and printed on standard error" if name == "seed" else fields[name].default
        parser.add_argument(_flag(name), type=_number(name), metavar="N", help=f"{_help(name)} (default {default})")
    for name, metavar in _LISTS.items():
        parser.add_argument(_flag(name), action="append", metavar=metavar, help=f"{_help(name)} May be repeated.")
    for name in _SWITCHES:
        parser.add_argument(_flag(name), action="store_true", default=None, help=_help(name))


def run(given: argparse.Namespace) -> int:
    """Draw and print; raises UsageError and BundleError."""
    names = ("prompt", "include", *_NUMBERS, *_LISTS, *_SWITCHES)
    options: Any = {name: value for name in names if (value := getattr(given, name)) is not None}
    model = open_chosen(given, LanguageModel)
    if given.seed is None:
        options["seed"] = secrets.randbits(SEED_BITS)
    try:
        results = model.sample(**options)
    except InvalidRequestError as error:
        field = error.fields[0]
        raise UsageError(f"{_flag(field.pointer.split('/')[1])}: {field.detail}") from error
    if given.seed is None:
        print(f"seed {options['seed']}", file=sys.stderr)
    for result in results:
        line = result.text.encode() if given.format == "text" else msgspec.json.encode(result)
        sys.stdout.buffer.write(line + b"\n")
    return 0


def _flag(name: str) -> str:
    return "-n" if name == "n" else "--" + name.replace("_", "-")


def _number(name: str) -> Callable[[str], int | float]:
    """Return what reads the number of a flag within the limits of its field."""
    limits = _SCHEMA[name].get("anyOf", [_SCHEMA[name]])[0]
    kind = int if limits["type"] == "integer" else float
    least, most, above = limits.get("minimum"), limits.get("maximum"), limits.get("exclusiveMinimum")

    def read(text: str) -> int | float:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        must = ""
        if isinstance(value, float) and not math.isfinite(value):
            must = "a whole number" if kind is int else "a finite number"
        elif least is not None and value < least:
            must = f"at least {least}"
        elif above is not None and value <= above:
            must = f"above {above}"
        elif most is not None and value > most:
            must = f"at most {most}"
        if must:
            raise argparse.ArgumentTypeError(f"must be {must}, not {text!r}")
        return value

    return read


def _help(name: str) -> str:
    """Return the field's description in the HTTP contract."""
    text: str = _SCHEMA[name]["description"]
    return text.replace("%", "%%")
