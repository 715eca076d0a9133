"""The tiny encoder-decoder of the fixtures: where it is, and what it knows."""

from pathlib import Path

from seqserve.loading import load_bundle
from seqserve.transducer.model import TransducerBundle

TINY_TRANSLATE = Path(__file__).parents[1] / "fixtures" / "bundles" / "tiny-translate" / "1"

KNOWN = {
    "I am happy.": "Je suis heureux.",
    "Is he old?": "Est-il vieux ?",
    "Where is the tree?": "Où est l'arbre ?",
    "He doesn't know.": "Il ne sait pas.",
    'Tom said, "I am happy."': 'Tom a dit : "Je suis heureux."',
    "What a day!": "Quelle journée !",
}


def open_tiny_transducer() -> TransducerBundle:
    """Load it with all checks."""
    bundle = load_bundle(TINY_TRANSLATE)
    assert isinstance(bundle, TransducerBundle)
    return bundle
