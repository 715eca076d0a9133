"""Text to documents to answers."""

import numpy as np

from seqserve.tagger.document import Document, document_of_text, document_of_tokens
from seqserve.tagger.model import TaggedSentence, TaggerBundle
from seqserve.tagger.pipeline import TagOptions, result_of

ALL = TagOptions(tokens=True)


def tagged(tiny: TaggerBundle, tags: list[str], *, span_prob: float = 0.5) -> TaggedSentence:
    """A sentence whose tags are certain."""
    probs = np.zeros((len(tags), len(tiny.tags)), np.float32)
    probs[np.arange(len(tags)), [tiny.tags.index(tag) for tag in tags]] = 1
    return TaggedSentence(tuple(tags), probs, np.full(len(tags), span_prob, np.float32))


def two_sentences(tiny: TaggerBundle) -> tuple[Document, list[TaggedSentence]]:
    document = document_of_text("Ann came.\nThen Bob Ross left Rome.", max_sentence_tokens=100)
    assert [len(row) for row in document.rows] == [3, 6]
    return document, [
        tagged(tiny, ["S-PER", "O", "O"], span_prob=0.9),
        tagged(tiny, ["O", "B-PER", "E-PER", "O", "S-LOC", "O"], span_prob=0.4),
    ]


def test_offsets_are_those_of_the_whole_text(tiny: TaggerBundle) -> None:
    document, sentences = two_sentences(tiny)
    entities = result_of(document, sentences, tiny, ALL).entities
    assert [(item.text, item.label, item.start, item.end, item.token_start, item.token_end) for item in entities] == [
        ("Ann", "PER", 0, 3, 0, 1),
        ("Bob Ross", "PER", 15, 23, 4, 6),
        ("Rome", "LOC", 29, 33, 7, 8),
    ]


def test_is_name_marks_persons_only_whatever_is_kept(tiny: TaggerBundle) -> None:
    document, sentences = two_sentences(tiny)
    for options in (ALL, TagOptions(labels=frozenset({"LOC"}), min_score=1.0, tokens=True)):
        tokens = result_of(document, sentences, tiny, options).tokens
        assert [token.is_name for token in tokens] == [1, 0, 0, 0, 1, 1, 0, 0, 0]  # type: ignore[union-attr]


def test_min_score_compares_the_score_that_is_shown(tiny: TaggerBundle) -> None:
    document, sentences = two_sentences(tiny)
    shown = result_of(document, sentences, tiny, ALL).entities[0].score
    assert shown == 0.9  # of float32 0.89999998
    kept = result_of(document, sentences, tiny, TagOptions(min_score=shown)).entities
    assert [entity.text for entity in kept] == ["Ann"]


def test_scores_stay_in_range(tiny: TaggerBundle) -> None:
    document = document_of_tokens(["Ann"], max_sentence_tokens=9)
    over = tagged(tiny, ["S-PER"], span_prob=1.0000002)
    assert result_of(document, [over], tiny, ALL).entities[0].score == 1.0
