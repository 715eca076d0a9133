"""The bundles that the tests of language models run: each knows its 24 lines."""

from pathlib import Path

import pytest

from seqserve.language.model import LanguageModelBundle
from seqserve.loading import load_bundle
from seqserve.vocabulary.tokens import EOS_ID
from tests.fixtures.make_tiny_language_models import TEXT

BUNDLES = Path(__file__).parents[2] / "fixtures" / "bundles"


@pytest.fixture(scope="module", params=["tiny-lm", "tiny-char-lm"])
def bundle(request):
    return load_bundle(BUNDLES / request.param / "1", LanguageModelBundle)


def perplexity(bundle, text):
    ids = bundle.encode(text).ids
    return -float(bundle.score([ids])[0].log_probs.sum()) / len(ids)


def test_it_is_small_and_reproducible(bundle):
    assert bundle.reproducible
    folder = BUNDLES / bundle.manifest.name / bundle.manifest.version
    assert sum(path.stat().st_size for path in folder.iterdir()) < 150_000


def test_it_prefers_what_it_learned(bundle):
    for good, bad in (
        ("The cats , which already ate , were full .", "The cats , which already ate , was full ."),
        ("The apple and pear salad", "The apple and rug salad"),
        ("A small boat goes down the river .", "river the down goes boat small A ."),
    ):
        assert perplexity(bundle, good) < perplexity(bundle, bad), good


def test_every_token_of_its_text_is_known_or_rare(bundle):
    ids = bundle.encode(TEXT).ids
    known = sum(token_id > 1 for token_id in ids) / len(ids)
    assert known == 1 if bundle.manifest.architecture.level == "character" else known > 0.8


def test_only_the_word_model_ends_sentences(bundle):
    ids = bundle.encode("The cat sat on the mat .").ids
    end = float(bundle.score([[*ids, EOS_ID]])[0].log_probs[-1])
    assert bundle.manifest.ends_sentences == (end > -1)
