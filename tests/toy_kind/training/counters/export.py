"""A counter's run as a bundle."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from seqserve.counter.load import GOLDEN_WORDS, CounterGolden
from seqserve.counter.manifest import (
    CounterArchitecture,
    CounterGraphs,
    CounterLimits,
    CounterManifest,
    CounterVocabularies,
)
from seqserve.training.counters.config import CounterConfig
from seqserve.training.export.folder import WEIGHTS_FILE, Card, common_fields, finish, new_folder, write_card
from seqserve.training.export_sources import Results


def sources(config: CounterConfig) -> dict[str, list[str]]:
    """Return the files that a run read by what they were used for."""
    return {"training": [config.data.train]}


def results(config: CounterConfig, line: Mapping[str, Any]) -> Results:
    """Return what is said of the weight."""
    return Results({}, "")


def write(target: Path, config: CounterConfig, state: Mapping[str, Any], card: Card, *, replace: bool) -> None:
    """Write the bundle of a run."""
    with new_folder(target, replace=replace) as work:
        (work / WEIGHTS_FILE).write_bytes(msgspec.json.encode(state["weight"]))
        write_card(work, card)
        manifest = CounterManifest(
            **common_fields(work, card),
            architecture=CounterArchitecture(cell="none", num_parameters=1),
            graphs=CounterGraphs(),
            vocabularies=CounterVocabularies(),
            limits=CounterLimits(max_tokens=config.max_tokens),
        )
        finish(work, manifest, CounterGolden(count=state["weight"] * len(GOLDEN_WORDS)), tolerance=0.0)
