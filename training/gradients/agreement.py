"""Number agreement at a distance: sentences whose verb agrees with a noun that stands k words before it.

"near the dogs , the cat that the birds see often was": the dependency of Linzen et al. (2016, "Assessing the Ability of
LSTMs to Learn Syntax-Sensitive Dependencies"), from a small grammar:

    sentence    (lead-in ,) the (ADJECTIVE) NOUN between VERB
    lead-in     PREPOSITION noun | when noun INTRANSITIVE | when noun TRANSITIVE noun
    between     phrases with k words in all
    phrase      ADVERB | that INTRANSITIVE | PREPOSITION noun | that TRANSITIVE noun
                | that noun (PREPOSITION noun) PRESENT
    noun        the (ADJECTIVE) NOUN

Every noun is singular or plural with probability 1/2, independently of the others: only the subject determines the
verb. On average half of the nouns around it are attractors, of the other number. A PRESENT verb agrees with the noun
after its "that", so agreement over a few words can be learned before agreement over many.
"""

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

VERBS = ("was", "were")
"""By number: 0 singular, 1 plural."""

_REGULAR = (
    *("cat", "dog", "bird", "horse", "farmer", "teacher", "doctor", "singer", "boy", "girl", "king", "queen"),
    *("house", "garden", "river", "tree", "car", "letter", "table", "picture"),
)
NOUNS = tuple((noun, noun + "s") for noun in _REGULAR)
PRESENT = tuple((verb + "s", verb) for verb in ("see", "chase", "like", "find", "paint", "follow", "remember", "leave"))
ADJECTIVES = ("old", "young", "small", "tall", "quiet", "happy", "famous", "red")
ADVERBS = ("often", "again", "today", "there", "quietly", "once", "slowly", "together")
PREPOSITIONS = ("near", "behind", "beside", "above", "under", "with", "without", "before")
INTRANSITIVE = ("slept", "sang", "fell", "waited", "laughed", "moved")
TRANSITIVE = ("saw", "chased", "liked", "found", "painted", "followed", "remembered", "left")

WORDS = (
    *(",", "that", "the", "when"),
    *(form for forms in (*NOUNS, *PRESENT) for form in forms),
    *(*ADJECTIVES, *ADVERBS, *PREPOSITIONS, *INTRANSITIVE, *TRANSITIVE),
)
"""Every word that stands before the verb, once."""

_HELD_OUT = 10  # one sentence in ten is for testing


@dataclass(frozen=True, slots=True)
class Sentence:
    """`words` up to the verb, whose form `number` says (0 was, 1 were), `distance` words after the subject noun."""

    words: tuple[str, ...]
    number: int
    distance: int

    @property
    def is_held_out(self) -> bool:
        """Whether the sentence is for testing: one in ten by checksum, the same in every run."""
        return zlib.crc32(" ".join(self.words).encode()) % _HELD_OUT == 0


def draw_sentences(
    generator: np.random.Generator, distance: int, count: int, *, part: Literal["train", "test"]
) -> list[Sentence]:
    """Draw `count` sentences with `distance` words between subject noun and verb, of one part; some may be equal."""
    sentences: list[Sentence] = []
    while len(sentences) < count:
        sentence = _draw(generator, distance)
        if sentence.is_held_out == (part == "test"):
            sentences.append(sentence)
    return sentences


def write_pairs(path: Path, sentences: Iterable[Sentence]) -> None:
    """Write a line a sentence, `right TAB wrong TAB agreement-DISTANCE`, as `evaluate --pairs` reads."""
    lines = []
    for each in sentences:
        right, wrong = (" ".join((*each.words, VERBS[number])) for number in (each.number, 1 - each.number))
        lines.append(f"{right}\t{wrong}\tagreement-{each.distance}\n")
    path.write_text("".join(lines), encoding="utf-8")


def _draw(generator: np.random.Generator, distance: int) -> Sentence:
    number = int(generator.integers(2))
    words = [*_lead_in(generator), *_noun(generator, number)]
    end = len(words) + distance
    while left := end - len(words):
        fitting = [draw for shortest, draw in _PHRASES if shortest <= left]
        words += fitting[generator.integers(len(fitting))](generator, left)
    return Sentence(tuple(words), number, distance)


def _lead_in(generator: np.random.Generator) -> list[str]:
    """Draw a clause with nouns of its own for three sentences of four: the subject is then not the first noun."""
    kind = generator.integers(4)
    if kind == 0:
        return []
    if kind == 1:
        return [_one_of(generator, PREPOSITIONS), *_noun(generator), ","]
    if kind == 2:
        return ["when", *_noun(generator), _one_of(generator, INTRANSITIVE), ","]
    return ["when", *_noun(generator), _one_of(generator, TRANSITIVE), *_noun(generator), ","]


def _noun(generator: np.random.Generator, number: int | None = None, *, longest: int = 3) -> list[str]:
    """Draw 2 words or 3, half of the time with an adjective where there is room; without a number, either."""
    number = int(generator.integers(2)) if number is None else number
    adjective = [_one_of(generator, ADJECTIVES)] if longest > 2 and generator.integers(2) else []
    return ["the", *adjective, NOUNS[generator.integers(len(NOUNS))][number]]


def _one_of(generator: np.random.Generator, words: Sequence[str]) -> str:
    return words[int(generator.integers(len(words)))]


def _near_noun(generator: np.random.Generator, longest: int) -> list[str]:
    return [_one_of(generator, PREPOSITIONS), *_noun(generator, longest=longest - 1)]


def _that_saw_noun(generator: np.random.Generator, longest: int) -> list[str]:
    return ["that", _one_of(generator, TRANSITIVE), *_noun(generator, longest=longest - 2)]


def _that_noun_sees(generator: np.random.Generator, longest: int) -> list[str]:
    number = int(generator.integers(2))
    noun = _noun(generator, number, longest=longest - 2)
    left = longest - 2 - len(noun)
    inner = _near_noun(generator, left) if left >= 3 and generator.integers(2) else []
    return ["that", *noun, *inner, PRESENT[generator.integers(len(PRESENT))][number]]


_Draw = Callable[[np.random.Generator, int], list[str]]
_PHRASES: tuple[tuple[int, _Draw], ...] = (
    (1, lambda generator, _: [_one_of(generator, ADVERBS)]),
    (2, lambda generator, _: ["that", _one_of(generator, INTRANSITIVE)]),
    (3, _near_noun),
    (4, _that_saw_noun),
    (4, _that_noun_sees),
)
"""Words that a phrase has at least, and how to draw one that has no more than there is room for."""
