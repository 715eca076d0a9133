"""Curves of a language model's run as one PNG."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqserve.training.curves import picture


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
