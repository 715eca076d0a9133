"""Pretrained word vectors from text files, folders and installed packages."""

import array
import importlib.metadata
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from seqserve.training.reading.lines import TextError, composed, read_raw_lines

PACKAGE_PREFIX = "package:"
_SPACY_FILES = ("vocab/vectors", "vocab/key2row", "vocab/strings.json")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_WORD_LISTS = ("words.tsv", "words.tsv.gz", "words.tsv.xz")


@dataclass(frozen=True, slots=True)
class WordVectors:
    """Word forms and their vectors; several forms may share a row.

    words: V forms, each once; rows (V,) int32, row of each form; vectors (R,D) float32 or float16.
    """

    words: list[str]
    rows: NDArray[np.int32]
    vectors: NDArray[Any]


def load_vectors(source: str | Path) -> WordVectors:
    """Read vectors from one of these sources; raises TextError otherwise.

    - a text file, plain, .gz or .xz: GloVe's (`word v1 … vD`) or word2vec's (the same after a line `V D`);
    - a folder with `vectors*.npy` (R,D) and `words.tsv` (.gz, .xz; `word TAB row`);
    - a folder of a spaCy pipeline (`vocab/vectors`, `vocab/key2row`, `vocab/strings.json`);
    - `package:NAME` or `package:NAME/path/inside`: any of these inside an installed Python package,
      which is looked up but neither imported nor run.
    """
    path = _path_of(source)
    if not path.is_dir():
        return _load_text(path)
    return _load_spacy(path) if _is_spacy(path) else _load_folder(path)


def vector_files(source: str | Path) -> list[Path]:
    """Return the files that `load_vectors` reads of a source; raises TextError when there is no such source."""
    path = _path_of(source)
    if not path.is_dir():
        return [path]
    if _is_spacy(path):
        return [path / name for name in _SPACY_FILES]
    return [*sorted(path.glob("vectors*.npy")), *(path / name for name in _WORD_LISTS if (path / name).is_file())]


def _path_of(source: str | Path) -> Path:
    if isinstance(source, str) and source.startswith(PACKAGE_PREFIX):
        return _find_in_package(source)
    path = Path(source)
    if not path.is_dir() and not path.is_file():
        raise TextError(f"{path}: there is no such file or folder")
    return path


def _is_spacy(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _SPACY_FILES)


def _load_text(path: Path) -> WordVectors:
    """Read GloVe or word2vec text. Words may hold spaces (GloVe 840B has some): numbers are counted from the end.

    Of equal words the first, more frequent, one counts: word2vec's writers repeat forms that differ in encoding only.
    Words of white space, as fastText's have, are left out.
    """
    words: dict[str, None] = {}
    values = array.array("f")
    dimensions = num_read = 0
    announced: int | None = None
    for number, line in _text_lines(path):
        fields = line.split(" ")
        if number == 1 and len(fields) == 2 and all(field.isdecimal() for field in fields):
            announced, dimensions = int(fields[0]), int(fields[1])
            if not dimensions:
                raise TextError(f"{path}, line 1: announces vectors of 0 numbers")
            continue
        dimensions = dimensions or len(fields) - 1
        word, numbers = " ".join(fields[:-dimensions]), fields[-dimensions:]
        if not 0 < dimensions < len(fields) or _ends_in_number(word):
            source = "as the first line announces" if announced is not None else "separated by spaces"
            raise TextError(f"{path}, line {number}: must hold a word and {max(dimensions, 1)} numbers, {source}")
        num_read += 1
        if word in words or not word.strip():
            continue
        try:
            values.extend(map(float, numbers))
        except (ValueError, OverflowError) as error:
            raise TextError(f"{path}, line {number}: must hold {dimensions} numbers ({error})") from None
        words[word] = None
    if not words:
        raise TextError(f"{path}: there are no vectors in it")
    if announced not in (None, num_read):
        cut = ": the file is cut short" if num_read < announced else ""
        raise TextError(f"{path}, line 1: announces {announced} words, but {num_read} follow{cut}")
    vectors = np.frombuffer(values, dtype=np.float32).reshape(len(words), dimensions)
    return _checked(path, list(words), np.arange(len(words), dtype=np.int32), vectors)


def _ends_in_number(word: str) -> bool:
    """Return whether a word of several parts ends in a number: one that belongs to a longer or tabbed vector."""
    before, _, last = word.replace("\t", " ").rpartition(" ")
    return bool(before) and _NUMBER.fullmatch(last) is not None


def _load_folder(folder: Path) -> WordVectors:
    arrays = sorted(folder.glob("vectors*.npy"))
    lists = [folder / name for name in _WORD_LISTS if (folder / name).is_file()]
    if len(arrays) != 1 or len(lists) != 1:
        raise TextError(
            f"{folder}: must hold one vectors*.npy and one words.tsv (.gz, .xz), or a spaCy pipeline; "
            f"{len(arrays)} and {len(lists)} are there"
        )
    vectors = _load_array(arrays[0])
    words: dict[str, None] = {}
    rows = array.array("i")
    for number, line in _text_lines(lists[0]):
        word, _, row = line.rpartition("\t")
        if not word or not row.isdecimal() or int(row) >= len(vectors):
            raise TextError(
                f"{lists[0]}, line {number}: must be a word, a tab and a row below {len(vectors)}, not {line!r}"
            )
        if word in words:
            raise TextError(f"{lists[0]}, line {number}: {word!r} occurs twice")
        words[word] = None
        rows.append(int(row))
    return _checked(lists[0], list(words), np.array(rows, dtype=np.int32), vectors)


def _load_spacy(folder: Path) -> WordVectors:
    """Read vectors of a spaCy pipeline without spaCy: rows are addressed by a 64-bit hash of each form.

    The eighty forms that spaCy numbers as symbols instead ("NOUN", "DATE", "conj") are left out.
    """
    array_file, rows_file, strings_file = (folder / name for name in _SPACY_FILES)
    vectors = _load_array(array_file)
    try:
        key_to_row = msgspec.msgpack.decode(rows_file.read_bytes(), type=dict[int, int])
        strings = msgspec.json.decode(strings_file.read_bytes(), type=list[str])
    except msgspec.DecodeError as error:
        raise TextError(f"{folder}: vocab/key2row or vocab/strings.json is damaged: {error}") from None
    words, rows = [], []
    for string in dict.fromkeys(strings):
        row = key_to_row.get(hash_of_string(string)) if string else None
        if row is not None and 0 <= row < len(vectors):
            words.append(string)
            rows.append(row)
    return _checked(rows_file, words, np.array(rows, dtype=np.int32), vectors)


def hash_of_string(string: str) -> int:
    """Return spaCy's key of a string: MurmurHash64A of its UTF-8 bytes with seed 1 (Appleby, MurmurHash2_64)."""
    data = string.encode("utf-8")
    mask, factor = 0xFFFFFFFFFFFFFFFF, 0xC6A4A7935BD1E995
    value = 1 ^ (len(data) * factor & mask)
    whole = len(data) & ~7
    for start in range(0, whole, 8):
        block = int.from_bytes(data[start : start + 8], "little") * factor & mask
        block = (block ^ block >> 47) * factor & mask
        value = (value ^ block) * factor & mask
    if whole < len(data):
        value = (value ^ int.from_bytes(data[whole:], "little")) * factor & mask
    value = (value ^ value >> 47) * factor & mask
    return value ^ value >> 47


def _find_in_package(source: str) -> Path:
    name, _, inside = source.removeprefix(PACKAGE_PREFIX).partition("/")
    root = _package_folder(name)
    if root is None:
        raise TextError(f"{source}: no Python package {name!r} is installed")
    if inside:
        path = (root / inside).resolve()
        if not path.is_relative_to(root.resolve()) or not path.exists():
            raise TextError(f"{source}: the package has no file or folder {inside!r}")
        return path
    found = sorted(set(_vector_sources(root)))
    if len(found) != 1:
        names = ", ".join(str(path.relative_to(root)) for path in found) or "none"
        raise TextError(
            f"{source}: must hold one set of vectors, but {root} has: {names}; choose one as package:{name}/PATH"
        )
    return found[0]


def _package_folder(name: str) -> Path | None:
    """Find the folder of an import package, or of the one import package of a distribution, without importing it."""
    owned = importlib.metadata.packages_distributions()
    modules = [name, *(module for module, owners in owned.items() if name in owners)]
    for module in modules:
        spec = importlib.util.find_spec(module) if module.isidentifier() else None
        if spec is not None and spec.submodule_search_locations:
            return Path(spec.submodule_search_locations[0])
    return None


def _vector_sources(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        if path.name == "key2row" and _is_spacy(path.parent.parent):
            yield path.parent.parent
        elif path.name in _WORD_LISTS and any(path.parent.glob("vectors*.npy")):
            yield path.parent
        elif path.is_file() and path.name.startswith(("glove", "word2vec", "vectors")) and ".txt" in path.suffixes:
            yield path


def _text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (number, line) of the lines that are not blank."""
    for number, line in enumerate(read_raw_lines(path), start=1):
        if stripped := line.rstrip(" \r"):
            yield number, stripped


def _load_array(path: Path) -> NDArray[Any]:
    try:
        vectors = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise TextError(f"{path}: cannot be read as a NumPy array: {error}") from None
    if vectors.ndim != 2 or vectors.dtype not in (np.float16, np.float32):
        raise TextError(f"{path}: must be a float16 or float32 array (R,D), not {vectors.dtype} {vectors.shape}")
    return vectors


def _checked(path: Path, words: list[str], rows: NDArray[np.int32], vectors: NDArray[Any]) -> WordVectors:
    if not words:
        raise TextError(f"{path}: there are no words in it")
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        word = next((word for word, row in zip(words, rows, strict=True) if not finite[row]), "?")
        raise TextError(f"{path}: the vector of {word!r} holds a number that is not finite")
    # Look-up and training text are in NFC. Where a word is there in NFC too, that one counts: the ohm sign is no omega.
    composed_of = {word: composed(word) for word in words}
    rows_of_words = zip(words, rows.tolist(), strict=True)
    row_of = {
        composed_of[word]: row
        for word, row in rows_of_words
        if composed_of[word] == word or composed_of[word] not in composed_of
    }
    return WordVectors(list(row_of), np.array(list(row_of.values()), dtype=np.int32), vectors)
