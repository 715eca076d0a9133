"""Pictures of what `seqserve.training.gradients.gradients` found."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seqserve.training.atomic import write_atomically

_STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 1)))


def draw_norms(path: Path, panels: Mapping[str, Mapping[str, Sequence[float]]], *, ylabel: str) -> None:
    """Draw a panel by its title, in it a line a cell: norms of T - t = 0, 1, 2, ... on a logarithmic scale."""
    figure, all_axes = _panels(len(panels))
    for axes, (title, curves) in zip(all_axes, panels.items(), strict=True):
        for style, (cell, norms) in zip(_STYLES, curves.items(), strict=False):
            axes.plot(range(len(norms)), norms, linestyle=style, label=cell)
        axes.set(xlabel="T − t, words", title=title, yscale="log")
        axes.grid(alpha=0.3)
    all_axes[0].set_ylabel(ylabel)
    all_axes[0].legend(fontsize="small", loc="lower left")
    _save(path, figure)


def draw_accuracy(path: Path, curves: Mapping[str, Sequence[float]], *, title: str) -> None:
    """Draw a line a cell: accuracy (0..1, drawn in percent) with 1, 2, 3, ... words between noun and verb."""
    figure, (axes,) = _panels(1)
    for style, (cell, accuracies) in zip(_STYLES, curves.items(), strict=False):
        axes.plot(range(1, len(accuracies) + 1), [100 * each for each in accuracies], linestyle=style, label=cell)
    axes.axhline(50, color="black", linewidth=0.8, alpha=0.6)
    axes.annotate("chance", (1, 50.6), fontsize="small")
    axes.set(
        xlabel="words between subject noun and verb", ylabel="right verb preferred, %", title=title, ylim=(40, 102)
    )
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", loc="center right")
    _save(path, figure)


def _panels(count: int) -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # half a second to import

    figure = Figure(figsize=(max(7.5, 5 * count), 4.5), layout="constrained")
    return figure, figure.subplots(1, count, sharey=True, squeeze=False)[0]


def _save(path: Path, figure: Any) -> None:
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110)
    write_atomically(path, image.getvalue())
