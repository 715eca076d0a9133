"""A tagger's run as a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqserve.training.config import Config
from seqserve.training.export.folder import Card
from seqserve.training.export_sources import attributions, data_sources, plain_card, score_table
from seqserve.training.taggers.bundle import TrainedTagger, export_tagger

# Recorded with their answers in every bundle and checked at each load: plain sentences, a sentence of one token,
# unknown words and characters, capitals, a token longer than any limit.
GOLDEN = (
    'He said , " Teddy Roosevelt was a great President . "',
    'He said , " Teddy bears are on sale ! "',
    "Harry Potter and Hermione Granger invented a new spell .",
    "London",
    "she moved from new york to acme corp . in 1998",
    "ANGELA MERKEL VISITED THE WORLD BANK IN WASHINGTON , D.C.",
    "Zürich Ωmega 東京 \N{GRINNING FACE} zzqxv " + "a" * 300,
)


def export_tagger_run(
    new: Path,
    config: Config,
    state: Mapping[str, Any],
    best: Mapping[str, Any],
    *,
    readme: str | None,
    created: str,
    curves: Path,
) -> None:
    """Writes the bundle `new` of a tagger's run: what model.pt holds, and the line of the epoch it is from."""
    trained = TrainedTagger(
        weights={name: tensor.numpy() for name, tensor in state["weights"].items()},
        forms=state["forms"],
        characters=state["characters"],
        labels=config.data.labels,
        cell=config.model.cell,
        scheme=config.model.scheme,
        max_word_chars=config.model.characters.max_word_chars,
    )
    train = training_files(config)
    sources = data_sources({"training": train, "choosing the epoch": [corpus.file for corpus in config.data.dev]})
    table = score_table(best, "span F1", seed=config.seed)
    card = Card(
        name=config.name,
        version=config.version,
        created=created,
        description=config.description,
        readme=readme if readme is not None else plain_card(config, sources, table),
        licence=config.licence,
        attribution=[*config.attribution, *attributions(train)],
        languages=config.languages,
        metrics={f"dev {name}": {"f1": round(f1, 4)} for name, f1 in best["dev"].items()},
        data=sources,
        curves=curves,
    )
    export_tagger(new, trained, card, [sentence.split() for sentence in GOLDEN])


def training_files(config: Config) -> list[str]:
    """What the weights learned from: text, and vectors of words."""
    return [*(corpus.file for corpus in config.data.train), *config.model.words.vectors]
