"""Curves of a run as one PNG."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqserve.training.atomic import write_atomically


def draw_curves(path: Path, history: Sequence[dict[str, Any]], *, title: str, metric: str, scale: float) -> None:
    """Draw training loss (nats per example) beside the score of each dev file, times `scale`, by epoch."""
    from matplotlib.figure import Figure  # half a second to import, and needed once an epoch

    figure = Figure(figsize=(10, 4), layout="constrained")
    loss_axes, score_axes = figure.subplots(1, 2)
    epochs = [line["epoch"] for line in history]
    loss_axes.plot(epochs, [line["loss"] for line in history], marker=".")
    loss_axes.set(xlabel="epoch", ylabel="training loss, nats per example", title=title, ylim=(0, None))
    for name in history[0]["dev"]:
        score_axes.plot(epochs, [scale * line["dev"][name] for line in history], marker=".", label=name)
    mean = [scale * line["dev_score"] for line in history]
    score_axes.plot(epochs, mean, color="black", linewidth=2, label="weighted mean")
    score_axes.set(xlabel="epoch", ylabel=f"{metric} on dev", title="averaged weights")
    score_axes.legend(fontsize="small", loc="lower right")
    for axes in (loss_axes, score_axes):
        axes.grid(alpha=0.3)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110)
    write_atomically(path, image.getvalue())
