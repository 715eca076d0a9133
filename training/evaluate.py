"""How good a bundle is on a file; what is measured depends on what the bundle does."""

import argparse
from pathlib import Path
from typing import Any

from seqserve.classifier.model import ClassifierBundle
from seqserve.errors import SeqserveError
from seqserve.language.model import LanguageModelBundle
from seqserve.loading import load_bundle
from seqserve.training.classifiers import evaluate as evaluate_classifier
from seqserve.training.language import evaluate as evaluate_language_model
from seqserve.training.taggers import evaluate as evaluate_tagger
from seqserve.training.transducers import evaluate as evaluate_transducer
from seqserve.transducer.model import TransducerBundle

_KINDS: dict[type, Any] = {
    LanguageModelBundle: evaluate_language_model,
    ClassifierBundle: evaluate_classifier,
    TransducerBundle: evaluate_transducer,
}
_GENERAL = {"bundle", "file", "json"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `python -m training evaluate`."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder of a bundle, models/NAME/VERSION")
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="CoNLL column file for a tagger, text for a language model, texts with labels for a classifier, "
        "pairs for an encoder-decoder; plain, .gz or .xz",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, rates as fractions")
    group = parser.add_argument_group("taggers and classifiers")
    group.add_argument(
        "--map",
        metavar="A=B,…",
        help="rename labels of the file; a tagger takes those not named here for no names, "
        "a classifier leaves their texts out",
    )
    for module in (evaluate_tagger, evaluate_language_model, evaluate_classifier, evaluate_transducer):
        module.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the scores; raises SeqserveError when the bundle or the file cannot be used."""
    bundle = load_bundle(arguments.bundle)
    module = _KINDS.get(type(bundle), evaluate_tagger)
    _check_arguments(arguments, module)
    return int(module.run(bundle, arguments))


def _check_arguments(arguments: argparse.Namespace, module: Any) -> None:
    """Raise SeqserveError, naming it, for an argument that this kind of model would leave out of account."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    for name, value in vars(parser.parse_args([""])).items():
        if name not in _GENERAL and name not in module.ARGUMENTS and getattr(arguments, name) != value:
            raise SeqserveError(f"{arguments.bundle}: a {module.KIND} takes no --{name.replace('_', '-')}")
