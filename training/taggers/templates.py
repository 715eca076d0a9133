"""Tagged sentences made from sentence frames and lists of names.

`python -m seqserve.training.taggers.templates FRAMES.toml` writes FRAMES.conll beside it.
A frame is a row of tokens. In it `{pool}` stands for a name of that pool, `{POOL}` for one in upper case,
`{PER:Rose}` for that very name, and `#` for any digit from 1 to 9.
"""

import random
import re
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqserve.training.reading.conll import Sentence

_SLOT = re.compile(r"(\{[^}]*\})")
_ROUNDS = 100  # through the frames of a kind, before its names count as too few


@dataclass(frozen=True, slots=True)
class _Pool:
    """Names of one class; its patterns join parts of other pools into further names."""

    label: str  # empty: the words are no name
    names: tuple[str, ...]
    patterns: tuple[str, ...]
    most: int  # sentences that one name may be in


class _Drawer:
    """Draws the words of slots; a name is in few sentences, so that kinds of names are learnt and not names."""

    def __init__(self, pools: dict[str, _Pool], generator: random.Random):
        self._pools = pools
        self._generator = generator
        self._uses: Counter[tuple[str, str]] = Counter()

    def fill(self, frame: str) -> Sentence | None:
        """Return the frame with names drawn for its slots; None where a slot found no name that may be used."""
        tokens: list[str] = []
        tags: list[str] = []
        names: set[tuple[str, str]] = set()
        for piece in _SLOT.split(frame):
            label, text, most = self._draw(piece[1:-1]) if piece.startswith("{") else ("", piece, 0)
            words = self._digits(text).split()
            if label:
                name = (label, " ".join(words).lower())
                if name in names or self._uses[name] >= most:
                    return None
                names.add(name)
            tokens += words
            tags += [f"{'I' if i else 'B'}-{label}" if label else "O" for i in range(len(words))]
        self._uses.update(names)
        return Sentence(tuple(tokens), tuple(tags))

    def _draw(self, slot: str) -> tuple[str, str, int]:
        label, colon, text = slot.partition(":")
        if colon:
            return label, text, sys.maxsize
        pool = self._pools[slot.lower()]
        choice = self._generator.choice(self._generator.choice([each for each in (pool.names, pool.patterns) if each]))
        text = _SLOT.sub(lambda part: self._draw(part[0][1:-1])[1], choice)
        return pool.label, text.upper() if slot.isupper() else text, pool.most

    def _digits(self, text: str) -> str:
        return re.sub("#", lambda _: str(self._generator.randint(1, 9)), text)


def make_sentences(source: dict[str, Any]) -> list[Sentence]:
    """Return the sentences of a table with `seed`, `pools` and `kinds`, no two with the same tokens.

    Each kind gives its frames in turn until there are `sentences` of them; a frame without a slot is used once.
    Raises ValueError where the names of a kind's slots do not suffice.
    """
    generator = random.Random(source["seed"])
    pools = {
        name: _Pool(
            label=pool.get("label", ""),
            names=_split(pool.get("names", "")),
            patterns=tuple(pool.get("patterns", ())),
            most=pool.get("most", 3),
        )
        for name, pool in source["pools"].items()
    }
    drawer = _Drawer(pools, generator)
    made: dict[tuple[str, ...], Sentence] = {}
    for name, kind in source["kinds"].items():
        frames = kind["frames"].strip().splitlines()
        wanted = len(made) + kind["sentences"]
        for _ in range(_ROUNDS):
            generator.shuffle(frames)
            for frame in frames:
                sentence = drawer.fill(frame)
                if sentence is not None and len(made) < wanted:
                    made.setdefault(sentence.tokens, sentence)
        if len(made) < wanted:
            raise ValueError(f"kind {name!r} lacks {wanted - len(made)} sentences: give it more frames or names")
    sentences = list(made.values())
    generator.shuffle(sentences)
    return sentences


def write_column_file(sentences: list[Sentence]) -> str:
    """Return sentences as a column file: token, tab, tag, and a blank line after each sentence."""
    return "".join(
        "".join(f"{token}\t{tag}\n" for token, tag in zip(each.tokens, each.tags, strict=True)) + "\n"
        for each in sentences
    )


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in re.split(r"[;\n]", names) if name.strip())


if __name__ == "__main__":
    path = Path(sys.argv[1])
    text = write_column_file(make_sentences(tomllib.loads(path.read_text("utf-8"))))
    path.with_suffix(".conll").write_text(text, "utf-8", newline="\n")
