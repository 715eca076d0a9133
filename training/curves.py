"""Curves of a run as one PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.checkpoints import write_atomically


def draw_curves(path: Path, history: Sequence[dict[str, Any]], *, title: str) -> None:
    """Training loss (nats per sentence) beside span F1 of each dev file, by epoch."""
    from matplotlib.figure import Figure  # half a second to import, and needed once an epoch

    figure = Figure(figsize=(10, 4), layout="constrained")
    loss_axes, f1_axes = figure.subplots(1, 2)
    epochs = [line["epoch"] for line in history]
    loss_axes.plot(epochs, [line["loss"] for line in history], marker=".")
    loss_axes.set(xlabel="epoch", ylabel="training loss, nats per sentence", title=title, ylim=(0, None))
    for name in history[0]["dev"]:
        f1_axes.plot(epochs, [100 * line["dev"][name] for line in history], marker=".", label=name)
    f1_axes.plot(epochs, [100 * line["dev_f1"] for line in history], color="black", linewidth=2, label="weighted mean")
    f1_axes.set(xlabel="epoch", ylabel="span F1 on dev, %", title="averaged weights")
    f1_axes.legend(fontsize="small", loc="lower right")
    for axes in (loss_axes, f1_axes):
        axes.grid(alpha=0.3)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110)
    write_atomically(path, image.getvalue())
