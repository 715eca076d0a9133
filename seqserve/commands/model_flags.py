"""Which model a command uses: its flags, and the folder that they name."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seqserve.defaults import default_name
from seqserve.errors import BundleError
from seqserve.finding import PassedOver
from seqserve.kinds import KINDS
from seqserve.loading import ModelT, load
from seqserve.locations import environment_folders, find_models
from seqserve.manifest import read_manifest
from seqserve.model import Model

FOLDER_HELP = "folder of models, of the versions of one, or a bundle"
PLACES_HELP = "(default $SEQSERVE_MODELS, else ./models, ~/.local/share/seqserve/models and installed data packages)"
_PROVIDERS = ("cpu", "cuda", "auto")


def add_model_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that `open_chosen` reads."""
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="name or folder of the model (default the shipped model, else the first by name)",
    )
    add_models_flag(parser)
    provider = os.environ.get("SEQSERVE_PROVIDER") or "cpu"
    parser.add_argument(
        "--provider",
        choices=_PROVIDERS,
        default=provider,
        help=f"where graphs run; auto takes cuda when it is there (default {provider})",
    )


def add_models_flag(parser: argparse.ArgumentParser) -> None:
    """Add the flag that says where a model's name is looked for."""
    parser.add_argument(
        "--models",
        action="append",
        type=Path,
        metavar="FOLDER",
        help=f"{FOLDER_HELP}; may be repeated {PLACES_HELP}",
    )


def open_chosen(given: argparse.Namespace, expected: type[ModelT]) -> ModelT:
    """Open the model that flags of `add_model_flags` name, or the one that answers by default.

    The provider "auto" falls back to the CPU. Raises BundleError and ModelNotFoundError.
    """
    folders = given.models or environment_folders()
    model = given.model or _default(folders, expected)
    if given.provider == "auto":
        try:
            return load(model, expected, models=folders, provider="cuda")
        except BundleError as error:
            print(f"seqserve: not on cuda: {error}", file=sys.stderr)
    return load(model, expected, models=folders, provider="cpu" if given.provider == "auto" else given.provider)


def number_up_to(most: int, *, least: int = 1) -> Callable[[str], int]:
    """Return what reads a flag's whole number, of `least` to `most`."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must lie in {least} to {most}, not {text!r}")
        return int(text)

    return read


def list_of(*known: str) -> Callable[[str], list[str]]:
    """Return what reads a flag's list, with commas between its items; without `known`, they may be anything."""

    def read(text: str) -> list[str]:
        items = text.split(",")
        for item in items:
            if not item or (known and item not in known):
                choices = f", of {' and '.join(known)}" if known else ""
                raise argparse.ArgumentTypeError(f"must be a list with commas{choices}, not {text!r}")
        return items

    return read


def _default(folders: list[Path], expected: type[Model[Any]]) -> Path:
    [kind] = [kind for kind in KINDS.values() if kind.model is expected]
    passed: list[PassedOver] = []
    found = find_models(folders, pass_over=passed.append)
    able = {name: folder for name, folder in found.items() if read_manifest(folder).task == kind.task}
    if not able:
        places = ", ".join(map(str, folders)) or "the usual folders of models"
        raise BundleError("; ".join([f"there is no {kind.word} in {places}", *map(str, passed)]))
    return able[default_name(kind.task, able)]
