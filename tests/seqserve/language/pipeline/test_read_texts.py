"""A text is read together with its context: log P(context + text) = log P(context) + log P(text | context)."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.language.language_model import LanguageModel
from seqserve.language.manifest import TextReading
from seqserve.language.pipeline.read_texts import TextReader
from seqserve.reading import Limits
from seqserve.text.tokenization import tokenize, tokenize_unended
from tests.toy_language_model import ToyLanguageModel

TOKENS = (".", "Mr.", "Mr", "Smith", "No.", "No", "5", "he", "can", "not", "do", "n't", "$", "etc", "etc.", "and", ",")
WHOLES = (
    "he do n't . No. 5",
    "Mr. Smith and Mr. 5, etc.",
    "No. he cannot. No. 5, and Mr. and Mr.",
    "he don't, he can't: \"No.\"",
    "$5.5 and $5, etc. No.\n\n5 Mr.\n\nhe",
    "etc.",
    "\u200d'he'",
)


def opened(level: str = "word") -> LanguageModel:
    if level == "character":
        return LanguageModel(ToyLanguageModel("character"))  # type: ignore[arg-type]
    return LanguageModel(ToyLanguageModel(tokens=TOKENS, tokenization="seqserve-en-1"))  # type: ignore[arg-type]


def tokens_after(context: str, text: str, *, eos: bool = True) -> list[tuple[str, int, int]]:
    [answer] = opened().score([text], context=context, eos=eos, include=["tokens"])
    assert isinstance(answer.tokens, list)
    assert math.fsum(token.log_prob for token in answer.tokens) == pytest.approx(answer.log_prob, abs=1e-12)
    return [(token.text, token.start, token.end) for token in answer.tokens]


@pytest.mark.parametrize("eos", [True, False])
@pytest.mark.parametrize("whole", WHOLES)
def test_wherever_a_token_begins_or_ends_the_parts_are_the_whole(whole: str, eos: bool) -> None:
    model = opened()
    tokens = tokenize(whole) if eos else tokenize_unended(whole)
    places = {0, len(whole), *(place for token in tokens for place in (token.start, token.end))}
    [answer] = model.score([whole], eos=eos)
    for place in places:
        [before] = model.score([whole[:place]], eos=False)
        [after] = model.score([whole[place:]], context=whole[:place], eos=eos)
        assert before.log_prob + after.log_prob == pytest.approx(answer.log_prob, abs=1e-12), place


@given(st.text("ab é."), st.text("ab é."))
def test_characters_can_be_cut_anywhere(context: str, text: str) -> None:
    model = opened("character")
    [whole], [before] = model.score([context + text]), model.score([context], eos=False)
    [after] = model.score([text], context=context)
    assert before.log_prob + after.log_prob == pytest.approx(whole.log_prob, abs=1e-12)


def test_a_word_does_not_run_over_the_border() -> None:
    [apart] = opened().score([" Smith"], context="Mr. and")
    [together] = opened().score(["Smith"], context="Mr. and")
    assert together.log_prob == apart.log_prob
    assert tokens_after("Mr. and", "Smith,") == [("Smith", 0, 5), (",", 5, 6), ("<EOS>", 6, 6)]


def test_tokens_stand_at_their_places_in_the_text() -> None:
    assert tokens_after("he do", "n't.") == [("n't", 0, 3), (".", 3, 4), ("<EOS>", 4, 4)]
    assert tokens_after("No.", " he.") == [("he", 1, 3), (".", 3, 4), ("<EOS>", 4, 4)]
    assert tokens_after("he, Mr.", "") == [("<EOS>", 0, 0)]
    assert tokens_after("he, Mr.", " ", eos=False) == []


def test_candidates_differ_as_the_whole_texts_do() -> None:
    model = opened()
    candidates = [" 5", " he", " Smith ."]
    apart = {item.index: item.log_prob for item in model.rank("No.", candidates)}
    whole = {item.index: item.log_prob for item in model.rank(None, [f"No.{text}" for text in candidates])}
    [context] = model.score(["No."], eos=False)
    assert {index: context.log_prob + value for index, value in apart.items()} == pytest.approx(whole, abs=1e-12)


def test_a_prompt_goes_on() -> None:
    samples = opened().sample("he, Mr.", n=20, max_tokens=1, seed=3, include=["tokens"])
    going_on = opened().sample("he, Mr. ", n=20, max_tokens=1, seed=3, include=["tokens"])
    assert [sample.tokens for sample in samples] == [sample.tokens for sample in going_on]


@pytest.mark.parametrize("context", ["a" * 100_000, "a-" * 50_000, "a, " + " " * 100_000, "a" * 100_000 + " b"])
def test_little_of_a_long_context_is_read_again(context: str) -> None:
    bundle = ToyLanguageModel(tokens=TOKENS, tokenization="seqserve-en-1")
    read = TextReader(bundle, Limits()).read_context(context, ("context",))  # type: ignore[arg-type]
    assert len(read.ids) - read.num_kept <= 512


def reading_model(num_unknown_types: int = 20, tokens: tuple[str, ...] = TOKENS) -> LanguageModel:
    """A model whose manifest says how texts of clients are read."""
    bundle = ToyLanguageModel(tokens=tokens, tokenization="seqserve-en-1")
    texts = TextReading(lookup=["plain", "exact", "lower", "capital"], num_unknown_types=num_unknown_types)
    bundle.manifest = msgspec.structs.replace(bundle.manifest, texts=texts)
    return LanguageModel(bundle)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "typed"), [("he don’t", "he don't"), ("HE\u00ad, SMITH", "he, Smith"), ("etc…", "etc...")]
)
def test_a_text_is_looked_up_as_the_manifest_says(written: str, typed: str) -> None:
    model = reading_model(tokens=(*TOKENS, "..."))
    [first], [second] = model.score([written]), model.score([typed])
    assert (first.log_prob, first.num_unknown) == (second.log_prob, 0)
    assert opened().score([written])[0].num_unknown


def test_contexts_and_prompts_are_looked_up_so_too() -> None:
    model = reading_model()
    assert model.score(["he"], context="SMITH n’t") == model.score(["he"], context="Smith n't")
    assert model.sample("SMITH", n=5, seed=1, max_tokens=3) == model.sample("Smith", n=5, seed=1, max_tokens=3)


def test_an_unknown_word_has_its_share_of_the_probability_of_unk() -> None:
    [raw], [shared] = (
        opened().score(["he zebra ibex he"], include=["tokens"]),
        reading_model().score(["he zebra ibex he"], include=["tokens"], top=1),
    )
    assert isinstance(raw.tokens, list)
    assert isinstance(shared.tokens, list)
    costs = [first.log_prob - second.log_prob for first, second in zip(raw.tokens, shared.tokens, strict=True)]
    assert costs == pytest.approx([0, math.log(20), math.log(20), 0, 0], abs=1e-6)
    assert shared.log_prob == math.fsum(token.log_prob for token in shared.tokens)
    assert (shared.num_unknown, shared.perplexity_known) == (2, raw.perplexity_known)
    assert [token.rank for token in shared.tokens] == [token.rank for token in raw.tokens]


def test_unknown_words_of_a_context_have_their_share_too() -> None:
    model = reading_model()
    for context, text in (("he zebra", " he ibex."), ("zebra No.", " zebra"), ("he No.", " he")):
        [whole], [before] = model.score([context + text]), model.score([context], eos=False)
        [after] = model.score([text], context=context)
        assert before.log_prob + after.log_prob == pytest.approx(whole.log_prob, abs=1e-6)


def test_a_known_word_is_preferred_to_an_unknown_one() -> None:
    model = reading_model(num_unknown_types=10**9)
    assert model.rank(None, ["he zebra .", "he can ."])[0].index == 1
