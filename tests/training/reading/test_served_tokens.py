"""Sentences of files on the tokens of the service."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.tagger.document import document_of_text
from seqserve.tagger.tags import spans_from_tags
from seqserve.training.reading.conll import Sentence
from seqserve.training.reading.served_tokens import on_own_tokens, on_served_tokens


def sentence(text: str) -> Sentence:
    """Read "Ann/B-PER left/O"."""
    pairs = [pair.rsplit("/", 1) for pair in text.split()]
    return Sentence(tuple(token for token, _ in pairs), tuple(tag for _, tag in pairs))


def written(read: Sentence) -> str:
    return " ".join(f"{token}/{tag}" for token, tag in zip(read.tokens, read.tags, strict=True))


@pytest.mark.parametrize(
    ("own", "served"),
    [
        ("Ann/B-PER left/O", "Ann/B-PER left/O"),
        ("Jean-Luc/B-PER Moreau/I-PER left/O", "Jean/B-PER -/I-PER Luc/I-PER Moreau/I-PER left/O"),
        ("Rome/B-LOC 🔥/O today/O", "Rome/B-LOC today/O"),
        ("New_York/S-LOC 's/O", "New/B-LOC York/I-LOC 's/O"),
        ("🔥/B-PER Ann/I-PER", "Ann/B-PER"),
        ("🔥/S-PER Ann/O", "Ann/O"),
        ("Ann/B-PER Lee/B-PER", "Ann/B-PER Lee/B-PER"),
        ("at/O Acme/B-ORG Inc./I-ORG", "at/O Acme/B-ORG Inc/I-ORG ./I-ORG"),
    ],
)
def test_spans_are_carried_over(own: str, served: str) -> None:
    assert written(on_served_tokens(sentence(own))) == served


def test_own_tokens_stay_but_are_read_as_served() -> None:
    assert written(on_own_tokens(sentence("Jean-Luc/B-PER “/O 🔥/O"))) == 'Jean-Luc/B-PER "/O'


@given(st.lists(st.text(min_size=1, max_size=6).filter(lambda t: t == "".join(t.split())), min_size=1, max_size=9))
def test_the_model_learns_what_it_will_read(tokens: list[str]) -> None:
    read = on_served_tokens(Sentence(tuple(tokens), ("B-PER", *["I-PER"] * (len(tokens) - 1))))
    document = document_of_text(" ".join(tokens), max_sentence_tokens=1000)
    assert list(read.tokens) == [form for row in document.rows for form in row]
    assert len(spans_from_tags(read.tags)) == bool(read.tokens)
