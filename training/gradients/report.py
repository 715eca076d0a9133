"""The comparison of `seqserve train gradients`, and the folder that it writes."""

import copy
import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqserve.training.atomic import write_atomically
from seqserve.training.curves import picture
from seqserve.training.gradients.agreement import draw_sentences, write_pairs
from seqserve.training.gradients.config import GradientsConfig
from seqserve.training.gradients.explosion import ExplodingRun, compare_clipping
from seqserve.training.gradients.model import (
    AgreementModel,
    Batch,
    accuracy,
    agreement_norms,
    to_batch,
    train,
    training_batches,
)
from seqserve.training.load_config import config_table
from seqserve.training.trainer import prepare_torch

_STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 1)))

Norms = dict[str, list[float]]
"""`hidden_state` and `state`, by T - t, as `agreement_norms` says."""

NOTE = (
    "norms[when][of][j]: norm of dL<T>/da<t> (of = hidden_state) or of dL<T>/d(a<t>, c<t>) (of = state; both LSTMs "
    "carry c<t> beside a<t>, for all others it is the same) at T - t = j, mean over held-out sentences with the "
    "longest distance; L<T> = -log P(right verb) in nats, T the last word before the verb. accuracy[k - 1]: share of "
    "held-out sentences with k words between subject noun and verb whose right verb has the higher P; chance is 0.5."
)


@dataclasses.dataclass(frozen=True, slots=True)
class CellResult:
    """Results of one cell; loss in nats per word over the last tenth of the training."""

    norms: dict[str, Norms]  # "initial", "trained"
    accuracy: list[float]  # 0..1, at distance 1, 2, ...
    loss: float
    train_s: float

    def ratio(self, when: str) -> float:
        """Return the norm over the whole state at the longest T - t divided by that at T - t = 0."""
        norms = self.norms[when]["state"]
        return norms[-1] / norms[0]

    def as_dict(self) -> dict[str, Any]:
        """Return all numbers for a JSON file."""
        return dataclasses.asdict(self) | {"ratio": {when: self.ratio(when) for when in self.norms}}


def compare_cells(config: GradientsConfig, folder: Path) -> None:
    """Train every cell and write gradients.json, gradients.png, agreement.png and agreement.tsv into `folder`.

    Prints a line a cell, and one a way of clipping.
    """
    prepare_torch(config.loop.threads)
    folder.mkdir(parents=True, exist_ok=True)
    generator, loop = np.random.default_rng([config.seed, 1]), config.loop
    sentences = [
        draw_sentences(generator, distance, loop.test_sentences, part="test")
        for distance in range(1, loop.longest_distance + 1)
    ]
    write_pairs(folder / "agreement.tsv", (sentence for group in sentences for sentence in group))
    held_out, batches = [to_batch(group) for group in sentences], training_batches(config)
    runs = compare_clipping(config.explosion, config.model, held_out[-1:], seed=config.seed)
    for name, exploding in runs.items():
        print(f"clipping {name}: {_outcome(exploding)}", flush=True)
    results: dict[str, CellResult] = {}
    for cell in config.cells:
        results[cell] = measure_cell(cell, config, batches, held_out)
        print(f"{cell}: {_summary(results[cell])}", flush=True)
    _write(folder, config, results, runs)


def measure_cell(cell: str, config: GradientsConfig, batches: Sequence[Batch], held_out: Sequence[Batch]) -> CellResult:
    """Measure norms, train, measure norms and accuracy on batches of `held_out`, the last of the longest distance."""
    torch.manual_seed(config.seed)
    model = AgreementModel(cell, config.model)
    norms = {"initial": _norms(model, held_out[-1], config)}
    started = time.monotonic()
    loss = train(model, batches, config)
    train_s = round(time.monotonic() - started, 1)
    norms["trained"] = _norms(model, held_out[-1], config)
    return CellResult(norms, [accuracy(model, batch) for batch in held_out], loss, train_s)


def _norms(model: AgreementModel, batch: Batch, config: GradientsConfig) -> Norms:
    exact = copy.deepcopy(model).double()
    return {name: each.tolist() for name, each in agreement_norms(exact, batch, config.loop.longest_distance).items()}


def _write(
    folder: Path, config: GradientsConfig, results: Mapping[str, CellResult], runs: Mapping[str, ExplodingRun]
) -> None:
    report = {
        "note": NOTE,
        "config": config_table(config),
        "cells": {cell: result.as_dict() for cell, result in results.items()},
        "clipping": {name: dataclasses.asdict(exploding) for name, exploding in runs.items()},
    }
    write_atomically(folder / "gradients.json", json.dumps(report, indent=1, allow_nan=False).encode())
    with picture(folder / "gradients.png", 2, size=(5, 4.5), sharey=True) as all_axes:
        for axes, when, title in zip(
            all_axes, ("initial", "trained"), ("at initialisation", "after training"), strict=True
        ):
            _plot(axes, {cell: result.norms[when]["state"] for cell, result in results.items()}, first=0)
            axes.set(xlabel="T − t, words", title=title, yscale="log")
        all_axes[0].set_ylabel("norm of dL⟨T⟩/da⟨t⟩ (LSTMs: a⟨t⟩ and c⟨t⟩)")
        all_axes[0].legend(fontsize="small", loc="lower left")
    with picture(folder / "agreement.png", 1, size=(7.5, 4.5)) as (axes,):
        _plot(axes, {cell: [100 * each for each in result.accuracy] for cell, result in results.items()}, first=1)
        axes.axhline(50, color="black", linewidth=0.8, alpha=0.6)
        axes.annotate("chance", (1, 50.6), fontsize="small")
        axes.set(xlabel="words between subject noun and verb", ylabel="right verb preferred, %", ylim=(40, 102))
        axes.set_title("number agreement: the cat … was, the cats … were")
        axes.legend(fontsize="small", loc="center right")


def _plot(axes: Any, curves: Mapping[str, Sequence[float]], *, first: int) -> None:
    """Draw a line a cell over first, first + 1, ..."""
    for style, (cell, values) in zip(_STYLES, curves.items(), strict=False):
        axes.plot(range(first, first + len(values)), values, linestyle=style, label=cell)


def _summary(result: CellResult) -> str:
    """Return one line: right verbs at a few distances, how much of the gradient is left at the longest T - t."""
    longest = len(result.accuracy)
    shown = [distance for distance in (1, 2, 5, 10, 20, 30, 40, 50) if distance <= longest]
    right = ", ".join(f"{distance} {100 * result.accuracy[distance - 1]:.1f}" for distance in shown)
    return (
        f"right verb, % by words between: {right}; norm at T - t = {longest} over that at 0: "
        f"{result.ratio('initial'):.2g} at first, {result.ratio('trained'):.2g} trained; "
        f"loss {result.loss:.3f} nats per word, {result.train_s:.0f} s"
    )


def _outcome(exploding: ExplodingRun) -> str:
    after = f"after {exploding.num_steps} updates"
    state = f"finite {after}" if exploding.is_finite else f"not finite {after}"
    return (
        f"{state}; loss {exploding.first_loss:.3g} at first, {exploding.last_finite_loss:.3g} at last; "
        f"largest finite gradient norm {exploding.largest_finite_norm:.3g}"
    )
