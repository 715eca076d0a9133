"""Minimal pairs: how often a language model gives the good sentence a higher probability than the bad one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from operator import add
from pathlib import Path
from typing import Self

from seqserve.errors import SeqserveError
from seqserve.language.model import LanguageModelBundle
from seqserve.training.language.text_evaluation import score_texts
from seqserve.training.reading.lines import read_lines


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sentences that differ in little; `paradigm` names what is tested."""

    good: str
    bad: str
    paradigm: str


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Counts over pairs; a tie is no right answer. num_with_unknown: pairs with an unknown token on either side."""

    num_pairs: int = 0
    num_right: int = 0
    num_ties: int = 0
    num_with_unknown: int = 0

    @property
    def accuracy(self) -> float:
        """In 0..1."""
        return self.num_right / self.num_pairs

    @property
    def unknown_share(self) -> float:
        """Pairs with an unknown token per pair, in 0..1."""
        return self.num_with_unknown / self.num_pairs

    def __add__(self, other: Self) -> Self:
        return type(self)(*map(add, astuple(self), astuple(other)))

    def as_dict(self) -> dict[str, float]:
        """Return all numbers for a JSON file."""
        return {"accuracy": self.accuracy, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Judged:
    """The score of one sentence: log P (natural, float64 sum), predicted tokens, unknown ones among them."""

    log_prob: float
    num_tokens: int
    num_unknown: int


def read_pairs(path: Path) -> list[Pair]:
    """Read BLiMP's JSON lines (.jsonl, also .gz or .xz), or else `good TAB bad [TAB paradigm]`.

    The paradigm of JSON lines is UID (BLiMP) or construction (Marvin and Linzen); without one, it is the file's name.
    Raises SeqserveError, naming the file and the line.
    """
    name = path.name.removesuffix(".gz").removesuffix(".xz")
    read = _from_json if name.endswith(".jsonl") else _from_columns
    pairs = []
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        try:
            good, bad, paradigm = read(line)
        except ValueError as error:
            raise SeqserveError(f"{path}, line {number}: {error}") from error
        if not good.strip() or not bad.strip():
            raise SeqserveError(f"{path}, line {number}: the {'bad' if good.strip() else 'good'} sentence is empty")
        pairs.append(Pair(good, bad, paradigm or name.rpartition(".")[0] or name))
    if not pairs:
        raise SeqserveError(f"{path}: there are no pairs in it")
    return pairs


def judge(bundle: LanguageModelBundle, texts: Iterable[str]) -> dict[str, Judged]:
    """Score each distinct text once."""
    distinct = list(dict.fromkeys(texts))
    scores = zip(distinct, score_texts(bundle, distinct), strict=True)
    return {text: Judged(each.log_prob, each.num_tokens, each.num_unknown) for text, each in scores}


def count_pairs(pairs: Sequence[Pair], judged: Mapping[str, Judged]) -> dict[str, PairCounts]:
    """Count by paradigm, in the order of the pairs; right is log P(good) > log P(bad), strictly."""
    counts: dict[str, PairCounts] = {}
    for pair in pairs:
        good, bad = judged[pair.good], judged[pair.bad]
        one = PairCounts(
            1,
            int(good.log_prob > bad.log_prob),
            int(good.log_prob == bad.log_prob),
            int(bool(good.num_unknown or bad.num_unknown)),
        )
        counts[pair.paradigm] = counts.get(pair.paradigm, PairCounts()) + one
    return counts


def evaluate_pairs(bundle: LanguageModelBundle, pairs: Sequence[Pair]) -> dict[str, PairCounts]:
    """Return counts by paradigm of the bundle's answers."""
    return count_pairs(pairs, judge(bundle, both_sides(pairs)))


def both_sides(pairs: Iterable[Pair]) -> list[str]:
    """Return every sentence of the pairs."""
    return [text for pair in pairs for text in (pair.good, pair.bad)]


def overall(counts: Mapping[str, PairCounts]) -> PairCounts:
    """Sum over all paradigms."""
    return sum(counts.values(), PairCounts())


def _from_json(line: str) -> tuple[str, str, str]:
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise ValueError("no JSON object")
    sides = [fields.get(name) for name in ("sentence_good", "sentence_bad")]
    if not all(isinstance(side, str) for side in sides):
        raise ValueError("has no sentence_good and sentence_bad")
    return str(sides[0]), str(sides[1]), str(fields.get("UID") or fields.get("construction") or "")


def _from_columns(line: str) -> tuple[str, str, str]:
    columns = line.split("\t")
    if len(columns) not in (2, 3):
        raise ValueError(f"has {len(columns)} columns in place of good TAB bad [TAB paradigm]")
    return columns[0], columns[1], columns[2] if len(columns) == 3 else ""
