"""Two pictures: requests/s of every server at 32 clients, and where its latencies lie."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.load.many_clients import CLIENTS, RAW
from benchmarks.load.rows import Rounds, values
from benchmarks.load.statistics import Spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ENDING = f", {CLIENTS} clients"
_OURS, _BOUND, _OTHER = "#1b6ca8", "#b8c4ce", "#c98b3c"
_QUANTILES = (("p50_ms", "o", "p50"), ("p90_ms", "s", "p90"), ("p99_ms", "D", "p99"))
_ROW_INCHES = 0.42


def draw(folder: Path, rounds: Rounds, note: str) -> list[Path]:
    """Write rates.png and latencies.png, as far as there is something to show; returns what was written."""
    rates = {name: values(rounds, name, "requests_per_s") for name in _servers(rounds)}
    if RAW in {name for each in rounds for name in each}:
        rates[RAW] = values(rounds, RAW, "units_per_s")
    written = []
    if rates:
        written.append(_bars(folder / "rates.png", {name: Spread.of(each) for name, each in rates.items()}, note))
    tails = {
        name: [Spread.of(values(rounds, name, number)) for number, _, _ in _QUANTILES] for name in _servers(rounds)
    }
    if tails:
        written.append(_ranges(folder / "latencies.png", tails, note))
    return written


def _servers(rounds: Rounds) -> list[str]:
    names = dict.fromkeys(name for each in rounds for name in each)
    ours = [name for name in names if name.endswith(_ENDING) and "sentences" not in name]
    return [name for name in ours if values(rounds, name, "p99_ms")]


def _label(name: str) -> str:
    return name.removesuffix(_ENDING).removeprefix("peer ")


def _colour(name: str) -> str:
    if name.startswith("service"):
        return _OURS
    return _OTHER if name.startswith("peer ") or "thread" in name else _BOUND


def _bars(path: Path, rates: Mapping[str, Spread], note: str) -> Path:
    from matplotlib.patches import Patch

    names = sorted(rates, key=lambda name: rates[name].median)
    figure, axes = _figure(len(names))
    medians = [rates[name].median for name in names]
    errors = [
        [rates[name].median - rates[name].least for name in names],
        [rates[name].greatest - rates[name].median for name in names],
    ]
    axes.barh(range(len(names)), medians, xerr=errors, color=[_colour(name) for name in names], height=0.65, capsize=3)
    room = 0.015 * max(medians)
    for place, name in enumerate(names):
        axes.text(rates[name].greatest + room, place, f"{rates[name].median:,.0f}", va="center", fontsize=9)
    axes.set_yticks(range(len(names)), [_label(name) for name in names])
    axes.set_xlim(0, 1.12 * max(rates[name].greatest for name in names))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    colours = {_OURS: "this service", _OTHER: "others", _BOUND: "what limits all of them"}
    shown = [colour for colour in colours if colour in map(_colour, names)]
    handles = [Patch(color=colour, label=colours[colour]) for colour in shown]
    axes.legend(handles=handles, loc="lower right", frameon=False)
    axes.set_xlabel("requests/s of one 20-token sentence (the bare graph: sentences/s)")
    axes.set_title(f"{CLIENTS} clients in a closed loop: median of rounds, least to greatest", loc="left", fontsize=11)
    return _save(figure, path, note)


def _ranges(path: Path, tails: Mapping[str, Sequence[Spread]], note: str) -> Path:
    from matplotlib.lines import Line2D

    names = sorted(tails, key=lambda name: -tails[name][-1].median)
    figure, axes = _figure(len(names))
    for place, name in enumerate(names):
        medians = [spread.median for spread in tails[name]]
        axes.plot([medians[0], medians[-1]], [place, place], color=_colour(name), linewidth=4, alpha=0.5, zorder=1)
        for (_, marker, _), median in zip(_QUANTILES, medians, strict=True):
            axes.scatter(median, place, marker=marker, s=42, color=_colour(name), edgecolor="white", zorder=2)
        axes.text(medians[-1] * 1.06, place, f"{medians[-1]:.1f}", va="center", fontsize=9)
    axes.set_yticks(range(len(names)), [_label(name) for name in names])
    axes.set_xscale("log")
    axes.set_xlim(right=1.4 * max(spreads[-1].median for spreads in tails.values()))
    ticks = [value for value in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000) if _is_inside(axes, value)]
    axes.set_xticks(ticks, [f"{value:,}" for value in ticks])
    axes.minorticks_off()
    axes.set_xlabel("milliseconds, logarithmic; the number is the p99")
    axes.set_title(f"Latency at {CLIENTS} clients in a closed loop: medians of rounds", loc="left", fontsize=11)
    handles = [
        Line2D([], [], marker=marker, linestyle="", color="#555555", label=label) for _, marker, label in _QUANTILES
    ]
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 0.995), frameon=False, ncols=3)
    return _save(figure, path, note)


def _is_inside(axes: "Axes", value: float) -> bool:
    low, high = axes.get_xlim()
    return bool(low <= value <= high)


def _figure(num_rows: int) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure  # late, and without pyplot: no display is needed

    figure = Figure(figsize=(9.0, 1.9 + _ROW_INCHES * num_rows), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#e6e6e6")
    axes.set_axisbelow(True)
    return figure, axes


def _save(figure: "Figure", path: Path, note: str) -> Path:
    figure.supxlabel(note, fontsize=8, color="#666666", x=0.01, ha="left")
    figure.savefig(path, dpi=150)
    return path
