"""Export the best weights of a run as a bundle."""

import dataclasses
import datetime
import json
import sys
from pathlib import Path
from typing import Any

from seqserve.training.checkpoints import (
    EPOCHS,
    MODEL,
    RunError,
    in_one_sentence,
    load_tensors,
    must_fit,
    read_run_config,
)
from seqserve.training.data_digests import read_digests
from seqserve.training.export.folder import Card
from seqserve.training.export_sources import attributions, data_sources, learned_before, plain_card, unshippable
from seqserve.training.kinds import kind_of
from seqserve.training.reading.lines import read_raw_text


def export_run(
    folder: Path, models: Path, *, card: Path | None, version: str | None = None, replace: bool = False
) -> Path:
    """Write `models/NAME/VERSION` from a run folder and return it.

    The card is the given Markdown file, or one written from the run; the version is the given one, or the
    configuration's. Raises RunError when the run has no finished epoch, or when the bundle exists and `replace` is
    false; ConfigError for an invalid version.
    """
    with in_one_sentence(folder):
        config = read_run_config(folder)
        if version is not None:
            config = dataclasses.replace(config, version=version)
        state = load_tensors(folder / MODEL)
        target = models / config.name / config.version
        if target.exists() and not replace:
            raise RunError(f"{target}: is there already; choose another --version, or add --replace")
        with must_fit(folder / MODEL):
            epoch = state["epoch"]
        line = best_epoch(folder, epoch)
        readme = read_raw_text(card) if card else None
        export = kind_of(config).part("export")
        sources, results = export.sources(config), export.results(config, line)
        earlier, owed = learned_before(config)
        data = [*data_sources(sources, read_digests(folder)), *earlier]
        curves = folder / "curves.png"
        written = Card(
            name=config.name,
            version=config.version,
            created=datetime.datetime.now(datetime.UTC).date().isoformat(),
            description=config.description,
            readme=plain_card(config, data, results.table) if readme is None else readme,
            licence=config.licence,
            attribution=list(dict.fromkeys([*config.attribution, *attributions(sources["training"]), *owed])),
            languages=config.languages,
            metrics=results.metrics,
            data=data,
            curves=curves if curves.exists() else None,
        )
        with must_fit(folder / MODEL):
            export.write(target, config, state, written, replace=replace)
    if barred := unshippable(config, [*sources["training"], *(source.name for source in earlier)]):
        print(
            f"{target}: for measuring only; it must not be published, because of {', '.join(barred)}", file=sys.stderr
        )
    return target


def best_epoch(folder: Path, epoch: int) -> dict[str, Any]:
    """Return the line of `epochs.jsonl` that belongs to the saved weights."""
    with must_fit(folder / EPOCHS):
        for text in (folder / EPOCHS).read_text(encoding="utf-8").splitlines():
            line: dict[str, Any] = json.loads(text)
            if line["epoch"] == epoch:
                return line
    raise RunError(f"{folder / EPOCHS}: no line of epoch {epoch}, which {MODEL} is from")
