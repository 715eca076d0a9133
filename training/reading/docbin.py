"""spaCy's DocBin without spaCy: packed MessagePack with a row of attributes for each token."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from seqserve.training.reading.annotated_text import AnnotatedText, CharacterSpan
from seqserve.training.reading.lines import TextError
from seqserve.training.reading.vectors import hash_of_string

_ORTH, _ENT_IOB, _ENT_TYPE = 65, 77, 78
_INSIDE, _BEGIN = 1, 3  # 2: outside, 0: not annotated

# spaCy numbers these strings itself; all others are known by their hash.
_SYMBOLS = {
    64: "ID ORTH LOWER NORM SHAPE PREFIX SUFFIX LENGTH CLUSTER LEMMA POS TAG DEP ENT_IOB ENT_TYPE HEAD SENT_START "
    "SPACY PROB LANG ADJ ADP ADV AUX CONJ CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X EOL "
    "SPACE",
    380: "PERSON NORP FACILITY ORG GPE LOC PRODUCT EVENT WORK_OF_ART LANGUAGE LAW DATE TIME PERCENT MONEY QUANTITY "
    "ORDINAL CARDINAL acomp advcl advmod agent amod appos attr aux auxpass cc ccomp complm conj cop csubj "
    "csubjpass dep det dobj expl hmod hyph infmod intj iobj mark meta neg nmod nn npadvmod nsubj nsubjpass num "
    "number oprd obj obl parataxis partmod pcomp pobj poss possessive preconj prep prt punct quantmod relcl rcmod "
    "root xcomp acl ENT_KB_ID MORPH ENT_ID IDX _",
}
_NUMBERED = {number: name for first, names in _SYMBOLS.items() for number, name in enumerate(names.split(), first)}


class _DocBin(msgspec.Struct):
    attrs: list[int]
    tokens: bytes  # a row of unsigned 64-bit integers for each token, as many as attrs
    spaces: bytes  # one byte for each token: whether a space follows
    lengths: bytes  # 32-bit integers: tokens of each document
    strings: list[str]


def read_docbin(path: Path) -> Iterator[AnnotatedText]:
    """Yield the text of each document with its entities; raises TextError."""
    try:
        found = msgspec.msgpack.decode(zlib.decompress(path.read_bytes()), type=_DocBin)
        lengths = np.frombuffer(found.lengths, "<i4")
        tokens = np.frombuffer(found.tokens, "<u8").reshape(lengths.sum(), len(found.attrs))
        spaces = np.frombuffer(found.spaces, np.bool_).reshape(lengths.sum())
    except FileNotFoundError:
        raise TextError(f"{path}: there is no such file") from None
    except (OSError, zlib.error, msgspec.MsgspecError, ValueError) as error:
        raise TextError(f"{path}: cannot be read as spaCy's DocBin: {error}") from None
    if not {_ORTH, _ENT_IOB, _ENT_TYPE} <= set(found.attrs):
        raise TextError(f"{path}: its tokens have no entities: DocBin must store ENT_IOB and ENT_TYPE")
    forms = {hash_of_string(form): form for form in found.strings if form} | _NUMBERED
    columns = [tokens[:, found.attrs.index(attribute)] for attribute in (_ORTH, _ENT_IOB, _ENT_TYPE)]
    end = 0
    for number, length in enumerate(lengths, 1):
        start, end = end, end + int(length)
        rows = [column[start:end] for column in columns]
        yield _text(rows, spaces[start:end], forms, f"{path}, document {number}")


def _text(rows: list[NDArray[Any]], spaces: NDArray[np.bool_], forms: dict[int, str], place: str) -> AnnotatedText:
    text = ""
    spans: list[CharacterSpan] = []
    before = 0  # where ENT_IOB of the last token stands
    try:
        for orth, iob, kind, has_space in zip(*(row.tolist() for row in rows), spaces.tolist(), strict=True):
            start, text = len(text), text + forms[orth]
            if iob == _INSIDE and before in (_INSIDE, _BEGIN) and spans:
                spans[-1] = spans[-1]._replace(end=len(text))
            elif iob in (_INSIDE, _BEGIN) and kind:
                spans.append(CharacterSpan(start, len(text), forms[kind]))
            before = iob
            text += " " * has_space
    except KeyError as error:
        raise TextError(f"{place}: the string of number {error} is not in the file") from None
    return AnnotatedText(text, tuple(spans), place)
