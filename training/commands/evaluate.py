"""Measure how good a bundle is on a file, by the measures of its kind."""

import argparse
import json
from pathlib import Path
from typing import Any

from seqserve.errors import UsageError
from seqserve.loading import load_bundle, locate
from seqserve.training.config import ConfigError
from seqserve.training.kinds import KINDS

_GENERAL = {"bundle", "file", "json"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `seqserve train evaluate`."""
    parser.add_argument("bundle", metavar="BUNDLE", help="folder of a bundle or of its versions, or a model's name")
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="CoNLL columns or annotations for a tagger, text for a language model, texts with labels for a "
        "classifier, pairs for an encoder-decoder; plain, .gz or .xz",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, rates as fractions")
    group = parser.add_argument_group("taggers and classifiers")
    group.add_argument(
        "--map",
        metavar="A=B,…",
        help="rename labels of the file; other labels become O for a tagger, and their texts are left out for a "
        "classifier",
    )
    for kind in KINDS.values():
        kind.part("evaluate").add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the scores; raises UsageError for the flags, SeqserveError when bundle or file cannot be used."""
    bundle = load_bundle(locate(arguments.bundle))
    module = KINDS[task_of(bundle)].part("evaluate")
    _check_arguments(arguments, module)
    try:
        measures, report = module.run(bundle, arguments)
    except ConfigError as error:  # of the options of a file, which are flags here
        raise UsageError(str(error)) from error
    print(json.dumps(measures, indent=1, ensure_ascii=False) if arguments.json else report)
    return 0


def task_of(bundle: Any) -> str:
    """Return the task that a bundle's manifest names."""
    return str(bundle.manifest.task)


def _check_arguments(arguments: argparse.Namespace, module: Any) -> None:
    """Raise UsageError, naming it, for an argument that this kind of model does not use."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    for name, value in vars(parser.parse_args([""])).items():
        if name not in _GENERAL and name not in module.ARGUMENTS and getattr(arguments, name) != value:
            raise UsageError(f"{arguments.bundle}: a {module.KIND} does not take --{name.replace('_', '-')}")
