"""Curves of a run as PNG."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqserve.training.atomic import replacing


@contextmanager
def picture(path: Path, count: int, *, size: tuple[float, float] = (5, 4), sharey: bool = False) -> Iterator[Any]:
    """Give `count` axes side by side, each of that size in inches, and write them as a PNG."""
    from matplotlib.figure import Figure  # half a second to import, and needed once an epoch

    figure = Figure(figsize=(count * size[0], size[1]), layout="constrained")
    all_axes = figure.subplots(1, count, sharey=sharey, squeeze=False)[0]
    yield all_axes
    for axes in all_axes:
        axes.grid(alpha=0.3)
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=110)


def draw_curves(path: Path, history: Sequence[dict[str, Any]], *, title: str, metric: str, scale: float) -> None:
    """Draw training loss (nats per example) beside the score of each dev file, times `scale`, by epoch."""
    with picture(path, 2) as (loss_axes, score_axes):
        epochs = [line["epoch"] for line in history]
        loss_axes.plot(epochs, [line["loss"] for line in history], marker=".")
        loss_axes.set(xlabel="epoch", ylabel="training loss, nats per example", title=title, ylim=(0, None))
        for name in history[0]["dev"]:
            score_axes.plot(epochs, [scale * line["dev"][name] for line in history], marker=".", label=name)
        mean = [scale * line["dev_score"] for line in history]
        score_axes.plot(epochs, mean, color="black", linewidth=2, label="weighted mean")
        score_axes.set(xlabel="epoch", ylabel=f"{metric} on dev", title="averaged weights")
        score_axes.legend(fontsize="small", loc="lower right")


def draw_language_curves(path: Path, history: Sequence[dict[str, Any]], *, title: str, level: str) -> None:
    """Draw training and valid loss by tokens seen (perplexity for words, bits for characters) and the learning rate."""
    with picture(path, 2) as (loss_axes, rate_axes):
        millions = [line["tokens"] / 1e6 for line in history]
        for name, label in (("loss", "train, with dropout"), ("valid_loss", "valid")):
            losses = [line[name] for line in history]
            values = [math.exp(loss) for loss in losses] if level == "word" else [loss / math.log(2) for loss in losses]
            loss_axes.plot(millions, values, marker=".", label=label)
        unit = "perplexity" if level == "word" else "bits per character"
        loss_axes.set(xlabel=f"million {level}s seen", ylabel=unit, title=title)
        if level == "word":
            loss_axes.set_yscale("log")
        loss_axes.legend(loc="upper right")
        rate_axes.plot(millions, [line["learning_rate"] for line in history], marker=".")
        rate_axes.set(xlabel=f"million {level}s seen", ylabel="learning rate", title="schedule", ylim=(0, None))
