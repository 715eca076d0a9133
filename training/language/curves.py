"""Curves of a language model's run as one PNG."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqserve.training.atomic import write_atomically


def draw_language_curves(path: Path, history: Sequence[dict[str, Any]], *, title: str, level: str) -> None:
    """Draw training and valid loss by tokens seen (perplexity for words, bits for characters) and the learning rate."""
    from matplotlib.figure import Figure  # half a second to import

    figure = Figure(figsize=(10, 4), layout="constrained")
    loss_axes, rate_axes = figure.subplots(1, 2)
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
    for axes in (loss_axes, rate_axes):
        axes.grid(alpha=0.3)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110)
    write_atomically(path, image.getvalue())
