"""Recurrent sequence models: names in text, the probability of sentences, new text, labels, translations."""

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqserve.classifier.classifier import Classifier
    from seqserve.language.language_model import LanguageModel
    from seqserve.loading import load
    from seqserve.tagger.tagger import Tagger
    from seqserve.transducer.transducer import Transducer

__all__ = ["Classifier", "LanguageModel", "Tagger", "Transducer", "__version__", "load"]

__version__ = "0.2.0"

# ONNX Runtime from 1.29 on starts a thread on import that writes to the user's home and sends telemetry. A server
# inside its own network must not, and processes forked beside such a thread abort when they end.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# An installed package holds service/ and training/ in its own folder. In a clone they stand beside it.
_here = Path(__file__).parent
if not (_here / "service").is_dir():
    __path__.append(str(_here.parent))

_MODULES = {
    "load": "seqserve.loading",
    "Tagger": "seqserve.tagger.tagger",
    "LanguageModel": "seqserve.language.language_model",
    "Classifier": "seqserve.classifier.classifier",
    "Transducer": "seqserve.transducer.transducer",
}
"""Imported when they are first asked for: `import seqserve` is light, and `seqserve --help` needs no ONNX Runtime."""


def __getattr__(name: str) -> Any:
    """Return a name of the public API."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """Return the names of the public API too."""
    return sorted({*globals(), *_MODULES})
