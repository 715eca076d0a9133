"""`python -m service sample`."""

import argparse
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from seqserve.errors import RequestError
from seqserve.language.answers import SampleResult
from seqserve.language.pipeline.sample import plan_samples
from seqserve.service.body import decode_json
from seqserve.service.engine.models import LanguageModel
from seqserve.service.offline.common import ENDLESS, InputError, add_model_flags, open_offline
from seqserve.service.routes.sample import SampleRequest


def _finite(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):  # JSON would make null of it, and the error would be about what nobody has sent
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


def sample(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Write new text; JSON lines out (a sample of /v1/sample each), or the texts alone.

    Raises BundleError and InputError.
    """
    given = _parser(environment).parse_args(arguments)
    body = _body(given)
    model = open_offline(given, "language-model")
    try:
        results = _draw(model, body)
    except RequestError as error:
        raise InputError(error.detail) from error
    for result in results:
        line = result.text.encode() if given.format == "text" else msgspec.json.encode(result)
        sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()
    return 0


def _draw(model: LanguageModel, body: SampleRequest) -> list[SampleResult]:
    plan = plan_samples(model.bundle, body)
    if body.seed is None:
        print(f"seed {plan.seed}", file=sys.stderr)
    handle = model.decoder.submit(plan.specs, cancellation=ENDLESS)
    try:
        return plan.results(handle.wait())
    finally:
        handle.cancel()  # an interrupt must not wait for the end of the text


def _body(given: argparse.Namespace) -> SampleRequest:
    """Return the request that the flags make; what they may be is said in one place, its type. Raises InputError."""
    names = ("prompt", "include", *_NUMBERS, *_LISTS, *_SWITCHES)
    values: dict[str, Any] = {name: value for name in names if (value := getattr(given, name)) is not None}
    try:
        return decode_json(msgspec.json.encode(values), SampleRequest)
    except UnicodeEncodeError as error:
        raise InputError("the flags make no request: --prompt, --stop and --banned must be UTF-8.") from error
    except RequestError as error:
        raise InputError(f"the flags make no request: {error.detail}") from error


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m service sample", description=(sample.__doc__ or "").split("\n")[0], allow_abbrev=False
    )
    add_model_flags(parser, environment)
    parser.add_argument("--format", choices=("jsonl", "text"), default="jsonl", help="(default jsonl)")
    parser.add_argument("--prompt", metavar="TEXT", help="what the text goes on from (default the start of a text)")
    parser.add_argument("--include", nargs="+", choices=("tokens",), help="more in each JSON line")
    fields = {field.name: field for field in msgspec.structs.fields(SampleRequest)}
    for name, read in _NUMBERS.items():
        default = "drawn and told on standard error" if name == "seed" else fields[name].default
        flags = ["-n"] if name == "n" else [_flag(name)]
        parser.add_argument(*flags, type=read, metavar="N", help=f"{_help(name)} (default {default})")
    for name, metavar in _LISTS.items():
        parser.add_argument(_flag(name), action="append", metavar=metavar, help=f"{_help(name)} May be repeated.")
    for name in _SWITCHES:
        parser.add_argument(_flag(name), action="store_true", default=None, help=_help(name))
    return parser


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _help(name: str) -> str:
    """The field's description in the HTTP contract."""
    schema = msgspec.json.schema(SampleRequest)["$defs"]["SampleRequest"]["properties"][name]
    text: str = schema["description"]
    return text.replace("%", "%%")
