"""A tagger's bundle written anew by this release, from the weights in its own file."""

from pathlib import Path

from seqserve.training.export.folder import Card
from seqserve.training.starts import read_start
from seqserve.training.taggers.bundle import TrainedTagger, export_tagger


def export_again(source: Path, target: Path, *, name: str) -> Path:
    start = read_start(str(source))
    model = start.settings["model"]
    trained = TrainedTagger(
        weights=start.weights,
        forms=start.forms,
        characters=start.characters,
        labels=start.labels,
        cell=model["cell"],
        scheme=model["scheme"],
        max_word_chars=model["characters"]["max_word_chars"],
        max_sentence_tokens=8,
    )
    card = Card(name=name, version="1", created="2026-01-02", description="again", readme="# again\n", licence="MIT")
    export_tagger(target, trained, card, [["Teddy", "Roosevelt", "spoke", "."], ["London"]])
    return target
