"""Vocabularies of a training, and the rows that every word form has in the tables of vectors."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seqserve.training.config import CharactersConfig, WordsConfig
from seqserve.training.reading.vectors import WordVectors
from seqserve.vocabulary.words import LOOKUP_STEPS, UNKNOWN_ID, CharacterVocabulary, WordVocabulary, candidates

_DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Features:
    """Vocabularies and tables that turn tokens into inputs.

    `forms` are sorted by their UTF-8 bytes, form i has the word id i + 2; `tables` are (rows (V,), vectors (R,D))
    with V = len(forms) + 2; `trained_rows` (V,): 0 padding, 1 <UNK>.
    """

    forms: tuple[str, ...]
    tables: list[tuple[np.ndarray, np.ndarray]]
    trained_rows: np.ndarray
    characters: CharacterVocabulary

    def word_vocabulary(self) -> WordVocabulary:
        return WordVocabulary(words_text(self.forms).encode())


def words_text(forms: Iterable[str]) -> str:
    """Return forms as one text, one a line; torch writes a text in a hundredth of the time of so many strings."""
    return "".join(f"{form}\n" for form in forms)


def forms_of(words: str | Sequence[str]) -> Sequence[str]:
    """Return the forms of `words_text`'s text, or those of a run that wrote them as a list."""
    return words.split("\n")[:-1] if isinstance(words, str) else words


def build_features(
    tokens: Iterable[str], sources: Sequence[WordVectors], words: WordsConfig, characters: CharactersConfig
) -> Features:
    """Return vocabularies from the training tokens and the vectors.

    A form enters the list when it is in a vector source or counts `min_count` times in the training text (lower case,
    digits as 0). Forms that the look-up's fall-backs find anyway are left out. Handles (`@name`) are never learned
    as words: they are people's user names.
    """
    counts = Counter(tokens)
    trained = Counter[str]()
    for token, count in counts.items():
        if not token.startswith("@") or len(token) == 1:
            trained[normalise(token)] += count
    kept = sorted(word for word, count in trained.items() if count >= words.min_count) if words.trained_dim else []
    trained_row = {word: row for row, word in enumerate(kept, UNKNOWN_ID + 1)}

    lookups = [dict(zip(source.words, source.rows.tolist(), strict=True)) for source in sources]
    rows_of = _rows_of_forms({*trained_row, *(word for lookup in lookups for word in lookup)}, lookups, trained_row)
    forms = sorted(_without_redundant(rows_of), key=lambda form: form.encode())
    no_vectors = (0,) * len(sources)
    columns = np.array([(*no_vectors, 0), (*no_vectors, UNKNOWN_ID), *(rows_of[form] for form in forms)], np.int32)
    tables = []
    for i, source in enumerate(sources):
        used, rows = np.unique(columns[:, i], return_inverse=True)  # `used` starts with 0: padding has no vector
        vectors = np.concatenate([np.zeros((1, source.vectors.shape[1]), np.float32), source.vectors[used[1:] - 1]])
        tables.append((rows.astype(np.int32), vectors.astype(np.float32)))
    return Features(tuple(forms), tables, columns[:, -1], _character_vocabulary(counts, characters.min_count))


def normalise(token: str) -> str:
    """Return the spelling under which a word is learned: lower case, digits as 0 (`candidates`' last resort)."""
    return _DIGIT.sub("0", token.lower())


def _character_vocabulary(counts: Mapping[str, int], min_count: int) -> CharacterVocabulary:
    """Return characters that the text, or a copy of it in lower or upper case, holds at least `min_count` times."""
    seen = Counter[str]()
    for token, count in counts.items():
        for character in {*token, *token.upper(), *token.lower()}:
            seen[character] += count
    return CharacterVocabulary.from_characters(c for c, n in seen.items() if n >= min_count and not c.isspace())


def _rows_of_forms(
    forms: Iterable[str], lookups: Sequence[Mapping[str, int]], trained_row: Mapping[str, int]
) -> dict[str, tuple[int, ...]]:
    """Map each form to its row in each vector source, counted from 1 (0: none), then its trained row."""
    rows = {}
    for form in forms:
        if not form or "\n" in form:
            continue
        found = []
        for lookup in lookups:
            row = next((lookup[c] for c in candidates(form, LOOKUP_STEPS) if c in lookup), None)
            found.append(0 if row is None else row + 1)
        rows[form] = (*found, trained_row.get(normalise(form), UNKNOWN_ID))
    return rows


def _without_redundant(rows_of: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Drop cased forms whose lower-case form, itself kept, has the same rows."""
    return [form for form, rows in rows_of.items() if (lower := form.lower()) == form or rows_of.get(lower) != rows]
