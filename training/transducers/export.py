"""An encoder-decoder's run as a bundle."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqserve.training.export.folder import Card
from seqserve.training.export_sources import attributions, data_sources, plain_card
from seqserve.training.transducers.bundle import export_transducer
from seqserve.training.transducers.config import SideOptions, TransducerConfig
from seqserve.training.transducers.trained import TrainedSide, TrainedTransducer

# Recorded with their answers in every bundle and checked at each load: plain sentences, a text of one token, unknown
# words and characters, capitals, both apostrophes.
GOLDEN = (
    "I don't know where Tom is.",
    "Where is the train station?",
    "London",
    'She said, "I\'m happy that you\N{RIGHT SINGLE QUOTATION MARK}re here!"',
    "ANGELA MERKEL VISITED THE WORLD BANK IN WASHINGTON.",
    "Zürich Ωmega 東京 \N{GRINNING FACE} zzqxv",
)


def export_transducer_run(
    new: Path,
    config: TransducerConfig,
    state: Mapping[str, Any],
    best: Mapping[str, Any],
    *,
    readme: str | None,
    created: str,
    curves: Path,
) -> None:
    """Writes the bundle `new` of a run: what model.pt holds, and the line of the epoch it is from.

    Matrices are stored in half precision. Raises ValueError when weights and configuration do not fit.
    """
    train = training_files(config)
    sources = data_sources({"training": train, "choosing the epoch": [file.file for file in config.data.valid]})
    metrics = {name: {"perplexity": round(math.exp(-score), 3)} for name, score in best["dev"].items()}
    card = Card(
        name=config.name,
        version=config.version,
        created=created,
        description=config.description,
        readme=readme if readme is not None else plain_card(config, sources, _table(config, best, metrics)),
        licence=config.licence,
        attribution=[*config.attribution, *attributions(train)],
        languages=config.languages,
        metrics={f"valid {name}": values for name, values in metrics.items()},
        data=sources,
        curves=curves if curves.exists() else None,
    )
    export_transducer(new, trained_model(config, state), card, GOLDEN)


def training_files(config: TransducerConfig) -> list[str]:
    """What the weights learned from."""
    return list(dict.fromkeys(file.file for file in config.data.train))


def trained_model(config: TransducerConfig, state: Mapping[str, Any]) -> TrainedTransducer:
    """What model.pt holds, with what only the configuration knows."""
    weights = {name: tensor.float().numpy() for name, tensor in state["weights"].items()}
    if config.model.tied:
        weights.pop("softmax.weight")  # the target embedding's table under its second name
    return TrainedTransducer(
        weights=weights,
        source=_side(config.source, state["source_tokens"]),
        target=_side(config.target, state["target_tokens"]),
        cell=config.model.cell,
        attention=config.model.attention,
        tied=config.model.tied,
    )


def _side(options: SideOptions, tokens: list[str]) -> TrainedSide:
    return TrainedSide(
        tokens=tokens, tokenization=options.tokenization, lookup=options.lookup, max_tokens=options.max_tokens
    )


def _table(config: TransducerConfig, best: Mapping[str, Any], metrics: Mapping[str, Mapping[str, float]]) -> str:
    scores = "\n".join(f"| {name} | {values['perplexity']:g} |" for name, values in metrics.items())
    head = f"## Validation (epoch {best['epoch']}, seed {config.seed})"
    return f"{head}\n\n| file | perplexity of a token |\n|---|---|\n{scores}\n"
