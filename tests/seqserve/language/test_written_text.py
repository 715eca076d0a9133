"""The shipped model of words on text as people write it: in two parts, misspelt, with typographic punctuation."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import seqserve

MODEL = Path(__file__).parents[3] / "models" / "lm-en" / "1"
CLOSE = 1e-4
"""Nats. Sums of the same float32 numbers in float64 differ by far less."""

IN_TWO_PARTS = {
    "mr": ("I went to see Mr.", " Smith yesterday."),
    "mr, no name": ("I went to see Mr.", " the doctor yesterday."),
    "p.m.": ("He came at 5 p.m.", " and left."),
    "dr": ("He met Dr.", " Watson."),
    "no": ("No.", " 5 is alive."),
    "initial": ("J.", " R. Smith came."),
    "month": ("I saw it in Sept.", " 1990."),
    "etc": ("The book, etc.", " was there."),
    "after a word": ("The cat", " sat on the mat."),
    "after a space": ("The cat ", "sat on the mat."),
    "clitic": ("He do", "n't know."),
    "cannot": ("I can", "not go."),
    "dollar": ("He has $", "5."),
    "sentence": ("He went home.", " She stayed."),
    "nothing before": ("", "The cat sat."),
}

RIGHT_AND_MISSPELT = (
    ("The government was separate.", "The goverment was separate."),
    ("It is necessary to go.", "It is neccessary to go."),
    ("The weather is beautiful.", "The weather is beautifull."),
    ("They believe in God.", "They beleive in God."),
    ("We had a good experience.", "We had a good experiance."),
    ("A strange occurrence happened.", "A strange occurence happened."),
    ("Her conscience was clear.", "Her concience was clear."),
    ("They were committed to it.", "They were comitted to it."),
    ("I was disappointed.", "I was dissapointed."),
    ("It disappeared.", "It dissappeared."),
    ("He is an independent man.", "He is an independant man."),
    ("He lost his temper.", "He lost his tempre."),
    ("She is my friend.", "She is my freind."),
    ("He went to Zanzibar.", "He went to Zqzqzq."),
    ("I WENT TO THE STORE", "EYE WENT TWO THE STORE"),
)

ALIKE = {
    "apostrophe": ("It’s me.", "It's me."),
    "n't": ("I don’t know.", "I don't know."),
    "quotes": ("“I am here,” he said.", '"I am here," he said.'),
    "ellipsis": ("Well…", "Well..."),
    "space before punctuation": ("Hello , world !", "Hello, world!"),
    "parted clitic": ("I do n't know .", "I don't know."),
    "space around": (" The cat sat. ", "The cat sat."),
    "line end": ("The cat\nsat.", "The cat sat."),
    "decomposed": ("cafe\u0301", "café"),
    "parted price": ("It costs $ 3.50 .", "It costs $3.50."),
    "byte order mark": ("\ufeffThe cat sat.", "The cat sat."),
    "soft hyphen": ("The so\u00adlicitor sat.", "The solicitor sat."),
}


@pytest.fixture(scope="module")
def model() -> Iterator[seqserve.LanguageModel]:
    with seqserve.load(MODEL) as loaded:
        assert isinstance(loaded, seqserve.LanguageModel)
        yield loaded


@pytest.mark.parametrize(("context", "text"), IN_TWO_PARTS.values(), ids=IN_TWO_PARTS.keys())
def test_the_parts_of_a_text_are_as_likely_as_the_whole(model: seqserve.LanguageModel, context: str, text: str) -> None:
    (whole,) = model.score([context + text])
    (before,) = model.score([context], eos=False)
    (after,) = model.score([text], context=context)
    assert before.log_prob + after.log_prob == pytest.approx(whole.log_prob, abs=CLOSE)


def test_an_unfinished_text_keeps_the_period_of_its_last_abbreviation(model: seqserve.LanguageModel) -> None:
    (answer,) = model.score(["I went to see Mr."], eos=False, include=["tokens"])
    assert [token.text for token in answer.tokens] == ["I", "went", "to", "see", "Mr."]  # type: ignore[union-attr]


def test_a_finished_text_ends_with_a_period_of_its_own(model: seqserve.LanguageModel) -> None:
    (answer,) = model.score(["He left at 5 p.m."], include=["tokens"])
    assert [token.text for token in answer.tokens][-3:] == ["p.m", ".", "<EOS>"]  # type: ignore[union-attr]


@pytest.mark.parametrize("prompt", ["I went to see Mr.", "On Sept."])
def test_no_sample_ends_at_an_abbreviation(model: seqserve.LanguageModel, prompt: str) -> None:
    samples = model.sample(prompt, n=50, max_tokens=3, seed=5)
    assert [sample for sample in samples if sample.finish_reason == "eos" and sample.num_tokens == 1] == []


@pytest.mark.parametrize("space", [" ", "  ", "\n"], ids=["one", "two", "line end"])
def test_space_after_a_prompt_changes_nothing_that_follows(model: seqserve.LanguageModel, space: str) -> None:
    (plain,) = model.sample("The king", max_tokens=6, seed=4)
    (spaced,) = model.sample(f"The king{space}", max_tokens=6, seed=4)
    assert spaced.log_prob == plain.log_prob
    assert spaced.text.split() == plain.text.split()


@pytest.mark.parametrize(("right", "wrong"), RIGHT_AND_MISSPELT)
def test_a_misspelt_text_is_not_the_best(model: seqserve.LanguageModel, right: str, wrong: str) -> None:
    assert [candidate.index for candidate in model.rank(None, [wrong, right])] == [1, 0]


def test_an_unknown_word_is_still_counted_as_unknown(model: seqserve.LanguageModel) -> None:
    (answer,) = model.score(["The goverment was separate."])
    assert answer.num_unknown == 1


@pytest.mark.parametrize(("typed", "plain"), ALIKE.values(), ids=ALIKE.keys())
def test_the_same_text_in_other_characters_is_as_likely(model: seqserve.LanguageModel, typed: str, plain: str) -> None:
    first, second = model.score([typed, plain])
    assert first.log_prob == pytest.approx(second.log_prob, abs=CLOSE)


@pytest.mark.parametrize(("right", "wrong"), [("You’re late.", "Your late."), ("We’ll see.", "Well see.")])
def test_a_curly_apostrophe_loses_no_ranking(model: seqserve.LanguageModel, right: str, wrong: str) -> None:
    assert model.rank(None, [wrong, right])[0].index == 1


def test_an_empty_text_is_its_end(model: seqserve.LanguageModel) -> None:
    (answer,) = model.score([""])
    assert answer.num_tokens == 1
