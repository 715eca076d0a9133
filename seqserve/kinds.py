"""The table of kinds of models: a new kind is one line here, and a folder of its own."""

from typing import Any

from seqserve.classifier.classifier import Classifier
from seqserve.classifier.load import CLASSIFIER
from seqserve.entries import Manifest
from seqserve.kind import Kind
from seqserve.language.language_model import LanguageModel
from seqserve.language.load import LANGUAGE_MODEL
from seqserve.tagger.load import TAGGER
from seqserve.tagger.tagger import Tagger
from seqserve.transducer.load import TRANSDUCER
from seqserve.transducer.transducer import Transducer

KINDS: dict[str, Kind[Any, Any]] = {
    kind.task: kind
    for kind in (
        TAGGER,
        LANGUAGE_MODEL,
        CLASSIFIER,
        TRANSDUCER,
    )
}
"""By task."""

AnyModel = Tagger | LanguageModel | Classifier | Transducer
"""What `seqserve.load` returns."""


def kind_of(manifest: Manifest) -> Kind[Any, Any]:
    """Return the kind whose manifest this is."""
    return KINDS[manifest.task]
