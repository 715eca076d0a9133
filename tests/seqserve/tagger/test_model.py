"""A loaded tagger: answers in order, the same alone as among others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqserve.encoding import TokenBatch
from seqserve.tagger.model import TaggedSentence, TaggerBundle
from seqserve.tagger.tags import Span

WORDS = st.one_of(st.sampled_from(["Harry", "Potter", "went", "to", "London", "."]), st.text(max_size=20))


def same(first: TaggedSentence, second: TaggedSentence) -> bool:
    return (
        first.tags == second.tags
        and first.tag_probs.tobytes() == second.tag_probs.tobytes()
        and first.span_probs.tobytes() == second.span_probs.tobytes()
    )


@settings(max_examples=30)
@given(sentences=st.lists(st.lists(WORDS, max_size=12), max_size=40))
def test_a_sentence_has_the_same_bits_alone_and_among_others(tiny: TaggerBundle, sentences: list[list[str]]) -> None:
    together = tiny.tag(sentences)
    assert len(together) == len(sentences)
    assert all(same(answer, tiny.tag([sentence])[0]) for answer, sentence in zip(together, sentences, strict=True))


def test_an_empty_sentence_has_an_empty_answer(tiny: TaggerBundle) -> None:
    empty, answer = tiny.tag([[], ["Harry"]])
    assert empty.tags == ()
    assert empty.entities() == []
    assert empty.tag_probs.shape == (0, len(tiny.tags))
    assert empty.span_probs.shape == (0,)
    assert len(answer.tags) == 1
    assert tiny.tag([]) == []


@pytest.mark.parametrize(
    "word", ["", "\0", "\ud800", "\n", "a" * 1_000_000, "\u0301" * 100_000, "\U0001f600"], ids=ascii
)
def test_any_word_has_a_tag(tiny: TaggerBundle, word: str) -> None:
    (answer,) = tiny.tag([[word, "Harry"]])
    assert len(answer.tags) == 2
    assert np.allclose(answer.tag_probs.sum(axis=1), 1, atol=1e-4)


def test_names_come_with_the_probability_of_their_span(tiny: TaggerBundle) -> None:
    (answer,) = tiny.tag([["Harry", "Potter", "and", "Hermione", "Granger", "invented", "a", "new", "spell", "."]])
    assert [span for span, _ in answer.entities()] == [Span("PER", 0, 2), Span("PER", 3, 5)]
    for span, score in answer.entities():
        assert score == answer.span_probs[span.start]
        assert 0.5 < score <= min(answer.tag_probs[span.start : span.end].max(axis=1)) + 1e-5


def test_arrays_that_the_graph_must_not_see_are_refused(tiny: TaggerBundle) -> None:
    one = np.ones((1, 1), np.int32)
    batch = TokenBatch(one * len(tiny.words), one[:, :, None], one[0])
    with pytest.raises(ValueError, match="words must lie in 0 to"):
        tiny.run(batch)
