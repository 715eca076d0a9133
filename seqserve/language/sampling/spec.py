"""How one sample is drawn, its random numbers, and the ids it has seen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from seqserve.errors import InvalidRequestError

SEED_BITS = 64
MAX_SEED = 2**SEED_BITS - 1

NOTHING_LEFT = "Nothing is left that may be drawn: every token is banned."

_BLOCK = 64
_FIRST_CAPACITY = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSpec:
    """How one sample is drawn.

    `seed` (unsigned, 64 bits) and `index` choose its random numbers; `prompt_ids` come before it, none for the start of
    a text. temperature 0 is greedy; top_k 0, top_p 1, min_p 0 and repetition_penalty 1 are off. `banned_ids` (no id
    twice) are never drawn, nor is <EOS> while fewer than `min_tokens` are. `stops` is told each drawn id but <EOS>, in
    the thread that draws, and ends the sample by returning True.
    """

    seed: int
    max_tokens: int
    index: int = 0
    prompt_ids: tuple[int, ...] = ()
    min_tokens: int = 0
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    banned_ids: tuple[int, ...] = ()
    stops: Callable[[int], bool] | None = None


class SeenIds:
    """Distinct ids in the order in which they were first seen; `array` (C,) int32 is padded with -1."""

    __slots__ = ("_known", "array", "size")

    def __init__(self, token_ids: tuple[int, ...]) -> None:
        distinct = list(dict.fromkeys(token_ids))
        self._known = set(distinct)
        self.size = len(distinct)
        self.array = np.full(max(_FIRST_CAPACITY, 2 * self.size), -1, np.int32)
        self.array[: self.size] = distinct

    def add(self, token_id: int) -> bool:
        """Return whether the id is new."""
        if token_id in self._known:
            return False
        self._known.add(token_id)
        if self.size == len(self.array):
            self.array = np.concatenate([self.array, np.full(self.size, -1, np.int32)])
        self.array[self.size] = token_id
        self.size += 1
        return True


def uniforms(seed: int, index: int) -> Iterator[float]:
    """Yield one number in [0,1) a token, exact in float32; sample `index` of a seed has a stream of its own.

    Philox is counter-based: the 128 bits of its key are the index above the seed (Salmon et al., Parallel random
    numbers: as easy as 1, 2, 3, SC 2011).
    """
    generator = np.random.Generator(np.random.Philox(key=seed + (index << SEED_BITS)))
    while True:
        # 24 random bits each, so never rounded up to 1. A block at a time: a lone draw costs as much as 64.
        yield from generator.random(_BLOCK, dtype=np.float32).tolist()


def nothing_left() -> InvalidRequestError:
    """Return the error of a sample whose every token is banned."""
    return InvalidRequestError(NOTHING_LEFT)
