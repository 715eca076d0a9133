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


def _finite(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"must be a finite number, not {text!r}")
    return value


_NUMBERS: dict[str, Callable[[str], int | float]] = {
    "n": int,
    "seed": int,
    "max_tokens": int,
    "min_tokens": int,
    "temperature": _finite,
    "top_k": int,
    "top_p": _finite,
    "min_p": _finite,
    "repetition_penalty": _finite,
}
_LISTS = {"stop": "TEXT", "banned": "TOKEN"}
_SWITCHES = ("allow_unknown", "ignore_eos")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, the format, and a flag for every option of a sample."""
    add_model_flags(parser)
    parser.add_argument(
        "--format", choices=("jsonl", "text"), default="jsonl", help="JSON lines, or the texts alone (default jsonl)"
    )
    parser.add_argument("--prompt", metavar="TEXT", help="what the text goes on from (default the start of a text)")
    parser.add_argument("--include", nargs="+", choices=("tokens",), help="add every token to each JSON line")
    fields = {field.name: field for field in msgspec.structs.fields(SampleOptions)}
    for name, read in _NUMBERS.items():
        default = "drawn, and printed on standard error" if name == "seed" else fields[name].default
        flags = ["-n"] if name == "n" else [_flag(name)]
        parser.add_argument(*flags, type=read, metavar="N", help=f"{_help(name)} (default {default})")
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
        raise UsageError(f"the flags make no request: {error.detail}") from error
    if given.seed is None:
        print(f"seed {options['seed']}", file=sys.stderr)
    for result in results:
        line = result.text.encode() if given.format == "text" else msgspec.json.encode(result)
        sys.stdout.buffer.write(line + b"\n")
    return 0


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _help(name: str) -> str:
    """Return the field's description in the HTTP contract."""
    schema = msgspec.json.schema(SampleOptions)["$defs"]["SampleOptions"]["properties"][name]
    text: str = schema["description"]
    return text.replace("%", "%%")
