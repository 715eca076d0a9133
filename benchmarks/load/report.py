"""The results as a Markdown table and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.load.rows import Rounds, Row

_HEAD = "| measure | at least | aim | median | least to greatest | reached |\n|---|---:|---:|---:|---:|---|"
_HEAD_PLAIN = "| measure | median | least to greatest |\n|---|---:|---:|"
_SYMBOL = {"aim": "aim", "target": "yes", "missed": "**no**", "short of the aim": "short of the aim"}


def table(rows: Sequence[Row]) -> str:
    """Two Markdown tables: what has a target or an aim, and the rest; rows without a value are left out."""
    measured = [row for row in rows if row.values]
    asked = [_asked(row) for row in measured if row.is_asked]
    told = [_told(row) for row in measured if not row.is_asked]
    parts = []
    if asked:
        parts.append("\n".join([_HEAD, *asked]))
    if told:
        parts.append("\n".join([_HEAD_PLAIN, *told]))
    return "\n\n".join(parts)


def _asked(row: Row) -> str:
    sign = "≤ " if row.at_most else ""
    limits = [f"{sign}{shown(each, row.unit)}" if each is not None else "" for each in (row.target, row.aim)]
    return f"| {row.measure} | {limits[0]} | {limits[1]} | {_measured(row)} | {_SYMBOL[row.verdict]} |"


def _told(row: Row) -> str:
    return f"| {row.measure} | {_measured(row)} |"


def _measured(row: Row) -> str:
    spread = row.spread
    return f"{shown(spread.median, row.unit)} | {shown(spread.least, row.unit)} to {shown(spread.greatest, row.unit)}"


def shown(value: float, unit: str) -> str:
    """A number with its unit, as precise as it is worth: "1.52×", "12.30 ms", "1,234", "0.91"."""
    if unit == "/s":
        return f"{value:,.0f}"
    if unit == "×":
        return f"{value:.2f}×" if value >= 0.1 else f"{value:.2g}×"
    digits = f"{value:.0f}" if float(value).is_integer() and not unit else f"{value:.2f}"
    return f"{digits} {unit}".rstrip()


def write_json(path: Path, rows: Sequence[Row], rounds: Rounds, about: Mapping[str, Any]) -> None:
    """Write every number of every round beside the rows that follow from them."""
    document = {
        **about,
        "rows": [{**asdict(row), "spread": asdict(row.spread), "verdict": row.verdict} for row in rows if row.values],
        "rounds": [{name: dict(numbers) for name, numbers in each.items()} for each in rounds],
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
