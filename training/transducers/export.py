"""An encoder-decoder's run as a bundle."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqserve.training.export.folder import Card
from seqserve.training.export_sources import Results, files_of, score_table
from seqserve.training.reading.pairs import SideOptions
from seqserve.training.transducers.bundle import export_transducer
from seqserve.training.transducers.config import TransducerConfig
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


sources = files_of


def results(config: TransducerConfig, line: Mapping[str, Any]) -> Results:
    """Return the results of the weights; `line`: of the epoch that they are from."""
    perplexities = {name: round(math.exp(-score), 3) for name, score in line["dev"].items()}
    title = f"Validation (epoch {line['epoch']}, seed {config.seed})"
    shown = {name: f"{value:g}" for name, value in perplexities.items()}
    return Results(
        {f"valid {name}": {"perplexity": value} for name, value in perplexities.items()},
        score_table(title, ("file", "perplexity of a token"), shown),
    )


def write(target: Path, config: TransducerConfig, state: Mapping[str, Any], card: Card, *, replace: bool) -> None:
    """Write the bundle of a run, matrices in half precision; `state`: what model.pt holds.

    Raises ValueError when weights and configuration do not fit.
    """
    export_transducer(target, trained_model(config, state), card, GOLDEN, replace=replace)


def trained_model(config: TransducerConfig, state: Mapping[str, Any]) -> TrainedTransducer:
    """Return what model.pt holds, with what only the configuration knows."""
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
