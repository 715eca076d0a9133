"""The bundle that the service's tests run: it knows its twenty sentences."""

from pathlib import Path

import pytest

from seqserve.loading import load_bundle
from seqserve.tagger.tags import spans_from_tags
from seqserve.training.reading.conll import read_conll

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture(scope="module")
def bundle():
    return load_bundle(FIXTURES / "bundles" / "tiny-ner" / "1")


def test_it_is_small_and_reproducible(bundle):
    assert bundle.reproducible
    assert sum(path.stat().st_size for path in (FIXTURES / "bundles" / "tiny-ner" / "1").iterdir()) < 300_000


def test_it_finds_the_names_it_learned(bundle):
    sentences = read_conll(FIXTURES / "train" / "twenty.conll")
    answers = bundle.tag([sentence.tokens for sentence in sentences])
    for sentence, answer in zip(sentences, answers, strict=True):
        assert [span for span, _ in answer.entities()] == spans_from_tags(sentence.tags), sentence.tokens
