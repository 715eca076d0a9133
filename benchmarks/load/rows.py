"""Rows of the report: what was measured in each round, beside what it must reach."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from benchmarks.load.bench import Bench
from benchmarks.load.statistics import Spread

Numbers = Mapping[str, float]
Take = Callable[[], Numbers]
Rounds = Sequence[Mapping[str, Numbers]]
"""For each round the numbers of every measurement by its name; a measurement that failed is missing."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measure with its value in every round; without target and aim it is only told."""

    measure: str
    values: tuple[float, ...]
    target: float | None = None
    aim: float | None = None
    at_most: bool = False
    unit: str = ""

    @property
    def spread(self) -> Spread:
        """Median and spread over rounds."""
        return Spread.of(self.values)

    @property
    def is_asked(self) -> bool:
        """Whether something is to be reached."""
        return self.target is not None or self.aim is not None

    @property
    def verdict(self) -> str:
        """What the median reaches: "aim", "target", "missed", "short of the aim" where there is no target, or ""."""
        if not self.is_asked:
            return ""
        median, sign = self.spread.median, -1 if self.at_most else 1
        for name, limit in (("aim", self.aim), ("target", self.target)):
            if limit is not None and sign * median >= sign * limit:
                return name
        return "missed" if self.target is not None else "short of the aim"


@dataclass(frozen=True, slots=True)
class Theme:
    """Measurements that belong together.

    `takes` gets ready and yields them by name; themes that name the same measurement share it. `rows` is what follows
    from the rounds.
    """

    name: str
    about: str
    takes: Callable[[Bench], AbstractContextManager[Mapping[str, Take]]]
    rows: Callable[[Rounds], list[Row]]


def values(rounds: Rounds, name: str, number: str) -> tuple[float, ...]:
    """A number of a measurement in every round that has it."""
    return tuple(each[name][number] for each in rounds if number in each.get(name, {}))


def shares(rounds: Rounds, part: Callable[[Mapping[str, Numbers]], float]) -> tuple[float, ...]:
    """What `part` makes of every round that has all it needs: ratios are taken within rounds, not between medians."""
    found = []
    for each in rounds:
        try:
            found.append(part(each))
        except (KeyError, ZeroDivisionError):
            continue
    return tuple(found)


def ratio(rounds: Rounds, over: tuple[str, str], under: tuple[str, str]) -> tuple[float, ...]:
    """One (measurement, number) over another, in every round that has both."""
    return shares(rounds, lambda each: each[over[0]][over[1]] / each[under[0]][under[1]])
