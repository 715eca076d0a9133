"""What commands without a server share: their flags, opening a model, files in and out, progress."""

import argparse
import contextlib
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal, overload

from seqserve.errors import BundleError, SeqserveError
from seqserve.loading import find_bundles
from seqserve.manifest import MANIFEST_FILE, read_manifest
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.engine.checks import choose_provider
from seqserve.service.engine.models import ClassifierModel, LanguageModel, QueueLimits, TaggerModel, TransducerModel
from seqserve.service.engine.open_models import load_on
from seqserve.service.kinds import model_of
from seqserve.service.settings import PROVIDERS, variable_of

ENDLESS = Cancellation(math.inf)
"""The cancellation of work without a server."""

_LINES = 256
"""Lines that are worked on together: enough to find rows of like length, few enough to stream."""

_CHARACTERS = 256 * 1024
"""Beyond that many characters fewer lines are taken together, so that long lines do not fill the memory."""

_KINDS: dict[str, str] = {
    "tag": "tagger",
    "language-model": "language model",
    "classify": "classifier",
    "transduce": "encoder-decoder",
}


class InputError(SeqserveError):
    """A file cannot be read or written; the message names it and the line."""


def make_parser(
    command: str, description: str | None, file_help: str, environment: Mapping[str, str]
) -> argparse.ArgumentParser:
    """Return a parser with what every command takes; `description` is a docstring, whose first line is shown."""
    parser = argparse.ArgumentParser(
        prog=f"python -m service {command}", description=(description or "").split("\n")[0], allow_abbrev=False
    )
    parser.add_argument("file", help=f'{file_help}; "-" reads standard input')
    parser.add_argument("--output", default="-", metavar="FILE", help="(default standard output)")
    add_model_flags(parser, environment)
    return parser


def add_model_flags(parser: argparse.ArgumentParser, environment: Mapping[str, str]) -> None:
    """Add the flags that `open_offline` reads."""
    parser.add_argument("--model", metavar="NAME", help="name of the model (default the first by name)")
    models = environment.get(variable_of("models")) or "models"
    parser.add_argument("--models", type=Path, default=Path(models), metavar="FOLDER", help=f"(default {models})")
    provider = environment.get(variable_of("provider")) or "cpu"
    parser.add_argument("--provider", choices=PROVIDERS, default=provider, help=f"(default {provider})")


@overload
def open_offline(given: argparse.Namespace, task: Literal["tag"]) -> TaggerModel: ...


@overload
def open_offline(given: argparse.Namespace, task: Literal["language-model"]) -> LanguageModel: ...


@overload
def open_offline(given: argparse.Namespace, task: Literal["classify"]) -> ClassifierModel: ...


@overload
def open_offline(given: argparse.Namespace, task: Literal["transduce"]) -> TransducerModel: ...


def open_offline(given: argparse.Namespace, task: str) -> Any:
    """Open the model that the flags of `add_model_flags` name; raises BundleError."""
    models: Path = given.models
    folders = [models] if (models / MANIFEST_FILE).is_file() else find_bundles(models)
    by_name = {manifest.name: folder for folder in folders if (manifest := read_manifest(folder)).task == task}
    if not by_name:
        raise BundleError(f"{models}: holds no {_KINDS[task]}")
    if given.model is not None and given.model not in by_name:
        raise BundleError(f"{models}: holds no {_KINDS[task]} {given.model!r}, only {', '.join(sorted(by_name))}")
    bundle, provider = load_on(by_name[given.model or min(by_name)], choose_provider(given.provider))
    return model_of(bundle, provider, QueueLimits(sys.maxsize))


@contextlib.contextmanager
def opened_files(given: argparse.Namespace) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Open the files that flags of `make_parser` name; raises InputError."""
    with contextlib.ExitStack() as stack:
        source = _opened(given.file, "rb", sys.stdin.buffer, stack)
        yield source, _opened(given.output, "wb", sys.stdout.buffer, stack)


def numbered_lines(source: BinaryIO, name: str, *, command: str) -> Iterator[tuple[int, str]]:
    """Yield lines without their ends, from 1, showing progress in bytes when standard error is a terminal.

    Raises InputError, naming the line, when one is not UTF-8.
    """
    with _progress(source, command) as advance:
        for number, line in enumerate(source, start=1):
            advance(len(line))
            try:
                yield number, line.decode("utf-8").removesuffix("\n").removesuffix("\r")
            except UnicodeDecodeError as error:
                raise InputError(f"{name}, line {number}: byte {error.start + 1} is not UTF-8.") from error


def batches_of(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yield lines in groups to be worked on together."""
    batch: list[str] = []
    num_characters = 0
    for line in lines:
        batch.append(line)
        num_characters += len(line)
        if len(batch) == _LINES or num_characters >= _CHARACTERS:
            yield batch
            batch, num_characters = [], 0
    if batch:
        yield batch


def _opened(name: str, mode: str, standard: BinaryIO, stack: contextlib.ExitStack) -> BinaryIO:
    if name == "-":
        return standard
    try:
        return stack.enter_context(open(name, mode))  # type: ignore[return-value]
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}.") from error


@contextlib.contextmanager
def _progress(source: BinaryIO, command: str) -> Iterator[Callable[[int], object]]:
    if not sys.stderr.isatty():
        yield lambda num_bytes: None
        return
    from tqdm import tqdm  # late: most runs have no terminal

    size = Path(source.name).stat().st_size if isinstance(source.name, str) and source.name != "<stdin>" else None
    with tqdm(total=size, unit="B", unit_scale=True, unit_divisor=1024, desc=command) as bar:
        yield bar.update
