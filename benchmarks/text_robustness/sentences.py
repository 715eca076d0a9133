"""Texts with the names that are right in them, and how well an answer matches."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqserve.tagger.tags import Span

PROBES = Path(__file__).parents[2] / "tests" / "fixtures" / "probe.jsonl"

Tag = Callable[[Sequence[str]], list[list[Span]]]
"""Texts to the spans found in them, in code points."""

_MARKED = re.compile(r"\[([^]|]+)\|([A-Z/]+)\]")
_SHOWN = 60  # characters of text to either side of an error


@dataclass(frozen=True, slots=True)
class Name:
    """text[start:end] is a name, in code points, and any of `labels` is right."""

    start: int
    end: int
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Written:
    """A text and its names, in order."""

    text: str
    names: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Scored:
    """Texts with what was found in each."""

    texts: Sequence[Written]
    found: Sequence[Sequence[Span]]

    @property
    def f1(self) -> float:
        """Span F1 over all texts, in percent."""
        num_right = sum(len(_right(text, spans)) for text, spans in zip(self.texts, self.found, strict=True))
        num_either = sum(len(text.names) for text in self.texts) + sum(map(len, self.found))
        return 200 * num_right / num_either if num_either else 100.0

    @property
    def recall(self) -> float:
        """Names found whole and with a right label, in percent."""
        num_right = sum(len(_right(text, spans)) for text, spans in zip(self.texts, self.found, strict=True))
        return 100 * num_right / max(1, sum(len(text.names) for text in self.texts))

    @property
    def num_right(self) -> int:
        """Texts with exactly their names."""
        return sum(
            len(_right(text, spans)) == len(text.names) == len(spans)
            for text, spans in zip(self.texts, self.found, strict=True)
        )

    def errors(self) -> list[str]:
        """Return a line for each text with a wrong answer: what was missed, what was found in its place."""
        lines = []
        for text, spans in zip(self.texts, self.found, strict=True):
            right = _right(text, spans)
            missed = [name for name in text.names if not any((s.start, s.end) == (name.start, name.end) for s in right)]
            wrong = [span for span in spans if span not in right]
            if missed or wrong:
                wants = ", ".join(f"{text.text[n.start : n.end]!r} {'/'.join(sorted(n.labels))}" for n in missed)
                has = ", ".join(f"{text.text[s.start : s.end]!r} {s.label}" for s in wrong)
                lines.append(f"{_excerpt(text.text, [*missed, *wrong])}  missed: {wants or '-'}  found: {has or '-'}")
        return lines


def score(tag: Tag, texts: Sequence[Written]) -> Scored:
    """Tag the texts and keep what was found."""
    return Scored(texts, tag([each.text for each in texts]))


def read_probes(path: Path = PROBES) -> list[Written]:
    """Return the probes: JSON lines {"text", "spans": [[start, end, [labels]]]}."""
    rows = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
    return [
        Written(row["text"], tuple(Name(start, end, frozenset(labels)) for start, end, labels in row["spans"]))
        for row in rows
    ]


def marked(text: str) -> Written:
    """Read a text whose names are marked: "[Ada Lovelace|PER] left [Oxford|ORG/LOC]."."""
    plain, names, last = "", [], 0
    for match in _MARKED.finditer(text):
        plain += text[last : match.start()]
        names.append(Name(len(plain), len(plain) + len(match[1]), frozenset(match[2].split("/"))))
        plain += match[1]
        last = match.end()
    return Written(plain + text[last:], tuple(names))


def marked_all(texts: Iterable[str]) -> list[Written]:
    """Read several marked texts."""
    return [marked(text) for text in texts]


def _right(text: Written, spans: Sequence[Span]) -> list[Span]:
    labels = {(name.start, name.end): name.labels for name in text.names}
    return [span for span in spans if span.label in labels.get((span.start, span.end), ())]


def _excerpt(text: str, places: Sequence[Name | Span]) -> str:
    start = max(0, min(each.start for each in places) - _SHOWN)
    return repr(text[start : max(each.end for each in places) + _SHOWN])
