"""Rows of the table: what was measured, beside what it must reach."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.load.rows import Row

_REACHED = {"aim": "aim", "target": "yes", "missed": "**no**", "short of the aim": "no", "": ""}


@dataclass(frozen=True, kw_only=True)
class Figure(Row):
    """A row with one value, and a line for each wrong answer behind it."""

    errors: tuple[str, ...] = ()


def table(figures: Sequence[Figure]) -> str:
    """Markdown: the figures of one group."""
    lines = ["| measure | measured | at least | aim | reached |", "|---|---:|---:|---:|---|"]
    for each in figures:
        limits = [_limit(each, limit) for limit in (each.target, each.aim)]
        value = shown(each.values[0], each.unit)
        lines.append(f"| {each.measure} | {value} | {limits[0]} | {limits[1]} | {_REACHED[each.verdict]} |")
    return "\n".join(lines)


def shown(value: float, unit: str) -> str:
    """A number as precise as it is worth: counts whole, nats with two digits that count, others with one decimal."""
    if unit.startswith("of "):
        return f"{value:.0f} {unit}"
    if unit == "/s":
        return f"{value:,.0f}"
    if unit == "nats":
        return f"{value:.2g}"
    return f"{value:.2f}×" if unit == "×" else f"{value:.1f}"


def error_lines(figures: Sequence[Figure], most: int) -> str:
    """Markdown: up to `most` wrong answers behind each figure."""
    parts = []
    for each in figures:
        if each.errors:
            chosen = each.errors[:: max(1, len(each.errors) // most)][:most]
            parts.append("\n".join([f"{each.measure}: {len(each.errors)} wrong", *(f"    {line}" for line in chosen)]))
    return "\n\n".join(parts)


def _limit(figure: Figure, limit: float | None) -> str:
    if limit is None:
        return "–"
    return f"{'≤ ' if figure.at_most else ''}{shown(limit, figure.unit)}"
