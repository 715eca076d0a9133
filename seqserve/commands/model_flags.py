"""Which model a command uses: its flags, and the folder that they name."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from seqserve.bundle import BundleT
from seqserve.defaults import default_name
from seqserve.errors import BundleError
from seqserve.kinds import KINDS
from seqserve.loading import load_bundle
from seqserve.locations import environment_folders, find_models
from seqserve.manifest import read_manifest

_PROVIDERS = ("cpu", "cuda", "auto")


def add_model_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that `open_chosen` reads."""
    parser.add_argument("--model", metavar="NAME", help="name of the model (default the shipped one, else the first)")
    parser.add_argument(
        "--models",
        action="append",
        type=Path,
        metavar="FOLDER",
        help="folder of models, or a bundle; may be repeated (default $SEQSERVE_MODELS, else the usual places)",
    )
    provider = os.environ.get("SEQSERVE_PROVIDER") or "cpu"
    parser.add_argument("--provider", choices=_PROVIDERS, default=provider, help=f"(default {provider})")


def open_chosen(given: argparse.Namespace, expected: type[BundleT]) -> BundleT:
    """Open the model of a kind that flags of `add_model_flags` name; raises BundleError.

    The provider "auto" falls back to the CPU.
    """
    [task] = [kind.task for kind in KINDS.values() if kind.bundle is expected]
    folder = _chosen(given, task)
    if given.provider == "auto":
        try:
            return load_bundle(folder, expected, provider="cuda")
        except BundleError as error:
            print(f"seqserve: not on cuda: {error}", file=sys.stderr)
    return load_bundle(folder, expected, provider="cpu" if given.provider == "auto" else given.provider)


def number_up_to(most: int, *, least: int = 1) -> Callable[[str], int]:
    """Return what reads a flag's whole number, of `least` to `most`."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must lie in {least} to {most}, not {text!r}")
        return int(text)

    return read


def _chosen(given: argparse.Namespace, task: str) -> Path:
    folders = given.models or environment_folders()
    by_name = {
        manifest.name: folder for folder in find_models(folders) if (manifest := read_manifest(folder)).task == task
    }
    if given.model in by_name:
        return by_name[given.model]
    word = KINDS[task].word
    where = f"{', '.join(map(str, folders))}: holds no {word}" if folders else f"the usual places hold no {word}"
    if not by_name:
        raise BundleError(where)
    if given.model is not None:
        raise BundleError(f"{where} {given.model!r}, only {', '.join(sorted(by_name))}")
    return by_name[default_name(task, by_name)]
