"""From any tags, also those that no scheme allows, to spans and entities; from any text to sentences."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.loading import load_bundle
from seqserve.tagger.document import document_of_text, document_of_tokens
from seqserve.tagger.model import TaggedSentence, TaggerBundle
from seqserve.tagger.pipeline import TagOptions, result_of
from seqserve.tagger.tags import spans_from_tags
from seqserve.text.sentences import split_sentences
from seqserve.text.tokenization import tokenize
from tests.fuzz.strategies import LONG_TEXTS, TEXTS, patient

BUNDLE = Path(__file__).resolve().parent.parent / "fixtures" / "bundles" / "tiny-ner" / "1"
ANY_TAGS = st.lists(st.sampled_from(["O", *(f"{prefix}-{label}" for prefix in "BIMES" for label in ("A", "B", "A-B"))]))
# Sums of float32 may come out a little above 1. Not st.floats: see NUMBERS.
PROBABILITIES = st.integers(0, 1_000_010).map(lambda millionths: millionths / 1_000_000)
TOKENS = st.lists(st.text(min_size=1, max_size=6) | TEXTS.filter(bool), max_size=30)


@pytest.fixture(scope="module")
def bundle() -> TaggerBundle:
    loaded = load_bundle(BUNDLE)
    assert isinstance(loaded, TaggerBundle)
    return loaded


@patient
@given(tags=ANY_TAGS)
def test_every_tag_but_o_is_in_exactly_one_span_of_its_label(tags: list[str]) -> None:
    spans = spans_from_tags(tags)
    assert spans == sorted(spans, key=lambda span: span.start)
    inside = [place for span in spans for place in range(span.start, span.end)]
    assert inside == [place for place, tag in enumerate(tags) if tag != "O"]
    assert all(tags[place][2:] == span.label for span in spans for place in range(span.start, span.end))


@patient
@given(tokens=TOKENS, longest=st.integers(1, 9), data=st.data())
def test_entities_of_any_tags_point_into_the_text(
    bundle: TaggerBundle, tokens: list[str], longest: int, data: st.DataObject
) -> None:
    document = document_of_tokens(tokens, max_sentence_tokens=longest)
    tagged = []
    for forms in document.rows:
        row = data.draw(st.lists(st.sampled_from(bundle.tags), min_size=len(forms), max_size=len(forms)))
        probabilities = np.array(data.draw(st.lists(PROBABILITIES, min_size=len(row), max_size=len(row))), np.float32)
        tagged.append(TaggedSentence(tuple(row), np.tile(probabilities[:, None], len(bundle.tags)), probabilities))
    tags = [tag for sentence in document.sentences_of(tagged, bundle.tags) for tag in sentence.tags]
    result = result_of(document, tagged, bundle, TagOptions(tokens=True, tag_probs=True))

    covered = []
    for entity in result.entities:
        assert document.text[entity.start : entity.end] == entity.text != ""
        assert entity.text == " ".join(tokens[entity.token_start : entity.token_end])
        assert 0 <= entity.score <= 1
        covered += range(entity.token_start, entity.token_end)
    assert covered == [place for place, tag in enumerate(tags) if tag != "O"]
    assert [token.text for token in result.tokens or ()] == tokens
    assert [token.is_name for token in result.tokens or ()] == [int(tag.endswith("-PER")) for tag in tags]
    assert all(0 <= prob <= 1 for token in result.tokens or () for prob in (token.tag_probs or {}).values())


@patient
@given(text=TEXTS | LONG_TEXTS, longest=st.integers(1, 300))
def test_sentences_of_any_text_cover_all_tokens_in_order(text: str, longest: int) -> None:
    tokens = tokenize(text)
    ranges = split_sentences(text, tokens, max_tokens=longest)
    assert [start for start, _ in ranges] == [0, *(end for _, end in ranges)][: len(ranges)]
    assert (ranges[-1][1] if ranges else 0) == len(tokens)
    assert all(0 < end - start <= longest for start, end in ranges)


@patient
@given(text=TEXTS, limit=st.integers(0, 12), longest=st.integers(1, 9))
def test_a_document_cut_at_its_limit_is_whole_up_to_there(text: str, limit: int, longest: int) -> None:
    document = document_of_text(text, max_sentence_tokens=longest, limit=limit)
    assert len(document.tokens) <= limit + 1
    assert document.tokens[:limit] == tokenize(text)[: len(document.tokens)][:limit]
    assert all(text[token.start : token.end] == token.text for token in document.tokens)
