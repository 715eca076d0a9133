"""How many words share the probability of <UNK>, estimated on held-out text."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from seqserve.entries import LookupStep
from seqserve.language.manifest import TextReading
from seqserve.training.reading.text import UNKNOWN_FORM
from seqserve.vocabulary.tokens import UNKNOWN_ID, TokenVocabulary
from seqserve.vocabulary.words import candidates

COMMAND = "seqserve train unknown"


@dataclass(frozen=True, slots=True)
class UnknownWords:
    """Counts of a held-out text: tokens, unknown ones, their types, and how many of these are there once and twice."""

    num_tokens: int
    num_unknown: int
    num_seen: int
    num_once: int
    num_twice: int

    @property
    def num_types(self) -> int:
        """The types in all, those that the text does not hold included; at least 1.

        The estimate of Chao (1984), Nonparametric estimation of the number of classes in a population, without bias.
        It is a lower bound.
        """
        unseen = self.num_once * (self.num_once - 1) / (2 * (self.num_twice + 1))
        return max(1, round(self.num_seen + unseen))

    def report(self) -> str:
        """Return the numbers for people."""
        return (
            f"tokens: {self.num_tokens}; unknown: {self.num_unknown}, of {self.num_seen} types, {self.num_once} "
            f"of them once and {self.num_twice} twice\n"
            f"unknown types in all: {self.num_types}; an unknown word has log P(<UNK>) - {math.log(self.num_types):.2f}"
        )


def count_unknown(
    vocabulary: TokenVocabulary, steps: Sequence[str], sequences: Iterable[Sequence[str]]
) -> UnknownWords:
    """Count the words of a text that no step of the look-up finds; <unk>, which is no word, is none of them."""
    forms = Counter(token for tokens in sequences for token in tokens)
    types: Counter[str] = Counter()
    for form, count in forms.items():
        if form != UNKNOWN_FORM and vocabulary.lookup(form, steps) == UNKNOWN_ID:
            types[next(candidates(form, steps))] += count
    times = Counter(types.values())
    return UnknownWords(forms.total(), types.total(), len(types), times[1], times[2])


def client_steps(lookup: Sequence[str]) -> list[LookupStep]:
    """Return the look-up for texts of clients, by that of the training: without typography, then in another case."""
    return msgspec.convert(list(dict.fromkeys(("plain", *lookup, "lower", "capital"))), list[LookupStep])


def text_reading(vocabulary: TokenVocabulary, lookup: Sequence[str], sequences: Iterable[Sequence[str]]) -> TextReading:
    """Return how a model of words reads texts of clients; `sequences`: of held-out text."""
    steps = client_steps(lookup)
    return TextReading(lookup=steps, num_unknown_types=count_unknown(vocabulary, steps, sequences).num_types)
