"""Recurrent sequence models: entities in text, the probability of sentences, new text, labels, translations."""

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqserve.classifier.classifier import Classifier
    from seqserve.language.language_model import LanguageModel
    from seqserve.language.options import Candidate
    from seqserve.loading import load
    from seqserve.tagger.tagger import Tagger
    from seqserve.transducer.transducer import Transducer

__all__ = ["Candidate", "Classifier", "LanguageModel", "Tagger", "Transducer", "__version__", "load"]

__version__ = "0.2.0"

# ONNX Runtime from 1.29 on starts a thread on import that writes to the user's home and sends telemetry. A server
# inside its own network must not, and processes that are forked while such a thread runs abort when they end.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# An installed package holds service/ and training/ in its own folder. In a clone they are next to it.
_here = Path(__file__).parent
if not (_here / "service").is_dir():
    __path__.append(str(_here.parent))

_MODULES = {"load": "seqserve.loading", "Candidate": "seqserve.language.options"}


def __getattr__(name: str) -> Any:
    """Return a name of the public API; its module, and with it ONNX Runtime, is imported on first use."""
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    if name[:1].isupper():  # the class of a kind, and no module
        for kind in importlib.import_module("seqserve.kinds").KINDS.values():
            if kind.model.__name__ == name:
                return kind.model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the names of the public API."""
    return sorted(__all__)
