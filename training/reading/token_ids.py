"""A corpus as token ids in a file, made in one pass and mapped into memory."""

import contextlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqserve.errors import SeqserveError
from seqserve.training.atomic import write_atomically
from seqserve.training.reading.text import UNKNOWN_FORM, TextOptions
from seqserve.vocabulary.tokens import EOS_ID, FIRST_ID, UNKNOWN_ID, TokenVocabulary
from seqserve.vocabulary.words import candidates

_BLOCK = 1 << 20
_ENDED = -1  # in the first pass, where a sequence ends


class CorpusError(SeqserveError):
    """A corpus without anything to learn; the sentence says why."""


@dataclass(frozen=True)
class TokenIds:
    """Sequences one after another: ids (N,) uint16 or int32, ends (M,) where each sequence ends in it."""

    ids: NDArray[np.integer]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def num_tokens(self) -> int:
        return len(self.ids)

    def lengths(self) -> NDArray[np.int64]:
        """Return tokens of each sequence, <EOS> included, (M,)."""
        return np.diff(self.ends, prepend=0)

    def sequence(self, index: int) -> NDArray[np.int64]:
        """Return the ids of one sequence."""
        start = int(self.ends[index - 1]) if index else 0
        return self.ids[start : int(self.ends[index])].astype(np.int64)


class FirstPass:
    """Sequences written as provisional ids, in order of first sight, while types are counted."""

    def __init__(self, path: Path):
        self.path = path
        self.numbers: dict[str, int] = {}
        self.counts: list[int] = []

    def write(self, sequences: Iterable[Sequence[str]]) -> None:
        """Write every token, and _ENDED after each sequence."""
        with self.path.open("wb") as file:
            block: list[int] = []
            for tokens in sequences:
                for token in tokens:
                    number = self.numbers.setdefault(token, len(self.numbers))
                    if number == len(self.counts):
                        self.counts.append(0)
                    self.counts[number] += 1
                    block.append(number)
                block.append(_ENDED)
                if len(block) >= _BLOCK:
                    np.array(block, dtype=np.int32).tofile(file)
                    block = []
            np.array(block, dtype=np.int32).tofile(file)

    def vocabulary(self, options: TextOptions) -> TokenVocabulary:
        """Return the most frequent types, by count, then by first sight; raises CorpusError when there is none.

        Forms that are looked up first under the same spelling are one type.
        """
        count_of: dict[str, int] = {}
        for form, count in zip(self.numbers, self.counts, strict=True):
            if form != UNKNOWN_FORM:
                spelling = next(candidates(form, options.lookup))
                count_of[spelling] = count_of.get(spelling, 0) + count
        kept = [form for form, count in count_of.items() if count >= options.min_count]
        kept.sort(key=count_of.__getitem__, reverse=True)
        if not kept:
            raise CorpusError(f"data.train: no token occurs as often as text.min_count = {options.min_count} asks for")
        most = options.max_vocabulary - FIRST_ID if options.max_vocabulary else len(kept)
        return TokenVocabulary(kept[:most], steps=options.lookup, name="tokens.txt")

    def finish(self, folder: Path, name: str, vocabulary: TokenVocabulary, *, ends_sentences: bool) -> TokenIds:
        """Turn provisional ids into the vocabulary's, write folder/name.ids and name.ends.npy, and map them."""
        mapping = np.array([vocabulary.lookup(form) for form in self.numbers], dtype=np.int32)
        if UNKNOWN_FORM in self.numbers:
            mapping[self.numbers[UNKNOWN_FORM]] = UNKNOWN_ID
        dtype = _dtype_for(len(vocabulary))
        ends: list[NDArray[np.int64]] = []
        num_written = 0
        provisional = (
            np.memmap(self.path, dtype=np.int32, mode="r") if self.path.stat().st_size else np.zeros(0, np.int32)
        )
        with (folder / f"{name}.ids").open("wb") as file:
            for start in range(0, len(provisional), _BLOCK):
                block = np.asarray(provisional[start : start + _BLOCK])
                is_end = block == _ENDED
                ids = np.where(is_end, EOS_ID, mapping[block])
                places = np.arange(len(block)) + num_written
                if ends_sentences:
                    ends.append(places[is_end] + 1)
                else:
                    ends.append((places - np.cumsum(is_end) + 1)[is_end])
                    ids = ids[~is_end]
                ids.astype(dtype).tofile(file)
                num_written += len(ids)
        np.save(folder / f"{name}.ends.npy", np.concatenate([*ends, np.zeros(0, np.int64)]))
        self.path.unlink()
        return map_ids(folder, name, vocabulary)


def map_ids(folder: Path, name: str, vocabulary: TokenVocabulary) -> TokenIds:
    """Map ids that `FirstPass.finish` wrote; raises CorpusError when there are none, or not all that were written."""
    path = folder / f"{name}.ids"
    if not path.exists() or not path.stat().st_size:
        raise CorpusError(f"{path}: the {name} text holds no tokens")
    ids: NDArray[np.integer] = np.zeros(0, np.int32)
    ends = np.zeros(0, np.int64)
    with contextlib.suppress(ValueError, EOFError):  # cut short
        ids = np.memmap(path, dtype=_dtype_for(len(vocabulary)), mode="r")
        ends = np.load(folder / f"{name}.ends.npy")
    if not len(ends) or ends[-1] != len(ids):
        raise CorpusError(
            f"{path}: is damaged, or {name}.ends.npy is; without the folder {folder} the text is read anew"
        )
    return TokenIds(ids, ends)


def write_statistics(folder: Path, **parts: TokenIds) -> None:
    """Write statistics.json: sequences, tokens and the share of <UNK> of each part."""
    lines = {
        name: {
            "sequences": len(part),
            "tokens": part.num_tokens,
            "unknown_rate": float(np.mean(part.ids == UNKNOWN_ID)),
        }
        for name, part in parts.items()
    }
    write_atomically(folder / "statistics.json", json.dumps(lines, indent=1).encode())


def _dtype_for(num_tokens: int) -> type[np.integer]:
    return np.uint16 if num_tokens <= 1 << 16 else np.int32
