"""What a fault run found: figures, and promises that hold or do not."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEADER = "| fault | measure | at least | aim | seen | holds |\n|---|---|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Measure:
    """One promise: what is measured, what is asked for, what was seen, and whether it holds."""

    what: str
    at_least: str
    seen: str
    holds: bool
    aim: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """All promises about one fault; `figures` holds every number that was taken, units in the names."""

    fault: str
    measures: tuple[Measure, ...]
    figures: dict[str, Any]

    @property
    def holds(self) -> bool:
        """Whether every promise holds."""
        return all(measure.holds for measure in self.measures)

    def rows(self) -> str:
        """Rows of a Markdown table under HEADER."""
        return "\n".join(
            f"| {self.fault} | {each.what} | {each.at_least} | {each.aim} | {each.seen} | "
            f"{'yes' if each.holds else '**no**'} |"
            for each in self.measures
        )

    def write(self, folder: Path) -> Path:
        """Write the finding as FAULT.json into a folder, which is made when missing."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.fault}.json"
        path.write_text(json.dumps({**dataclasses.asdict(self), "holds": self.holds}, indent=2) + "\n", "utf-8")
        return path


def none_of(what: str, number: int, among: int) -> Measure:
    """A promise that something never happens."""
    return Measure(what, "0", f"{number} of {among:,}", number == 0)


def table(findings: Sequence[Finding]) -> str:
    """Markdown of several findings."""
    return "\n".join([HEADER, *(finding.rows() for finding in findings)])
