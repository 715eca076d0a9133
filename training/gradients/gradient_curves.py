"""Pictures of what `seqserve.training.gradients.gradients` found."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from seqserve.training.curves import picture

_STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 1)))


def draw_norms(path: Path, panels: Mapping[str, Mapping[str, Sequence[float]]], *, ylabel: str) -> None:
    """Draw a panel by its title, in it a line a cell: norms of T - t = 0, 1, 2, ... on a logarithmic scale."""
    with picture(path, len(panels), size=(max(5, 7.5 / len(panels)), 4.5), sharey=True) as all_axes:
        for axes, (title, curves) in zip(all_axes, panels.items(), strict=True):
            for style, (cell, norms) in zip(_STYLES, curves.items(), strict=False):
                axes.plot(range(len(norms)), norms, linestyle=style, label=cell)
            axes.set(xlabel="T − t, words", title=title, yscale="log")
        all_axes[0].set_ylabel(ylabel)
        all_axes[0].legend(fontsize="small", loc="lower left")


def draw_accuracy(path: Path, curves: Mapping[str, Sequence[float]], *, title: str) -> None:
    """Draw a line a cell: accuracy (0..1, drawn in percent) with 1, 2, 3, ... words between noun and verb."""
    with picture(path, 1, size=(7.5, 4.5)) as (axes,):
        for style, (cell, accuracies) in zip(_STYLES, curves.items(), strict=False):
            axes.plot(range(1, len(accuracies) + 1), [100 * each for each in accuracies], linestyle=style, label=cell)
        axes.axhline(50, color="black", linewidth=0.8, alpha=0.6)
        axes.annotate("chance", (1, 50.6), fontsize="small")
        axes.set(
            xlabel="words between subject noun and verb", ylabel="right verb preferred, %", title=title, ylim=(40, 102)
        )
        axes.legend(fontsize="small", loc="center right")
