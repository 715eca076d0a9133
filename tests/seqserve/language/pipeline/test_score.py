"""Texts to probabilities: sums, perplexities, chunks, contexts; the toy model's own distribution is the oracle."""

import math

import pytest

from seqserve.errors import InvalidRequestError, TextTooLongError
from seqserve.language.answers import ScoreResult
from seqserve.language.options import ScoreOptions
from seqserve.language.pipeline.read_texts import TextReader, sequences_of
from seqserve.language.pipeline.score import counts_eos, read_score
from seqserve.language.scoring import score_sequences
from seqserve.reading import Limits, Place, placed
from seqserve.vocabulary.tokens import EOS_ID
from tests.toy_language_model import ToyLanguageModel

TEXTS = ["the cat sat .", "", "the dog ran .", "sat", "dog dog", "the cat ran . the cat sat . 's 's 's"]


def scored(
    model: ToyLanguageModel,
    texts: list[str],
    *,
    contexts: list[str] | None = None,
    eos: bool = True,
    tokens: bool = True,
    top: int = 3,
) -> list[ScoreResult]:
    options = ScoreOptions(context=contexts, eos=eos, include=["tokens"] if tokens else [], top=top if tokens else 0)
    task = read_score(model, placed(texts), options, Limits())  # type: ignore[arg-type]
    return task.results(score_sequences(model.run_rows, task.sequences, model.manifest, num_top=task.num_top))


def expected(model: ToyLanguageModel, context: str, text: str, *, eos: bool = True) -> list[float]:
    """Log-probabilities of the text's tokens, each from the start, without chunks or batches."""
    before = model.encode(context).ids
    ids = model.encode(text).ids + [EOS_ID] * eos
    return [float(model.distribution([*before, *ids[:at]])[token]) for at, token in enumerate(ids)]


@pytest.mark.parametrize("eos", [True, False])
@pytest.mark.parametrize("context", ["", "the", "the dog ran . the"])
@pytest.mark.parametrize("max_chunk_tokens", [1, 3, 128])
def test_each_token_has_the_models_own_probability(eos: bool, context: str, max_chunk_tokens: int) -> None:
    model = ToyLanguageModel(max_chunk_tokens=max_chunk_tokens)
    results = scored(model, TEXTS, contexts=[context] * len(TEXTS), eos=eos)
    for text, result in zip(TEXTS, results, strict=True):
        wanted = expected(model, context, text, eos=eos)
        assert isinstance(result.tokens, list)
        assert [token.log_prob for token in result.tokens] == pytest.approx(wanted, abs=1e-5)
        assert result.log_prob == math.fsum(token.log_prob for token in result.tokens)
        assert result.num_tokens == len(wanted)


def test_chunks_and_neighbours_change_no_bit() -> None:
    whole = scored(ToyLanguageModel(), TEXTS, contexts=TEXTS[::-1])
    for size in (1, 2, 5):
        model = ToyLanguageModel(max_chunk_tokens=size)
        assert scored(model, TEXTS, contexts=TEXTS[::-1]) == whole
        alone = [scored(model, [text], contexts=[before])[0] for text, before in zip(TEXTS, TEXTS[::-1], strict=True)]
        assert alone == whole


def test_a_context_that_texts_share_is_computed_once() -> None:
    model = ToyLanguageModel(max_chunk_tokens=4)
    scored(model, ["the cat"] * 8, contexts=["the dog ran . sat"] * 8)
    assert model.num_runs == 2 + 1


def test_texts_advance_together() -> None:
    model = ToyLanguageModel(max_chunk_tokens=4)
    scored(model, ["the " * 12] * 5, eos=False)
    assert model.num_runs == 3


def test_words_after_a_context_are_those_of_the_whole() -> None:
    model = ToyLanguageModel()
    ((whole,), (part,)) = (
        scored(model, ["the cat sat ."]),
        scored(model, ["sat ."], contexts=["the cat"]),
    )
    assert isinstance(whole.tokens, list)
    assert isinstance(part.tokens, list)
    assert [token.log_prob for token in part.tokens] == [token.log_prob for token in whole.tokens[2:]]


def test_offsets_are_those_of_the_text_and_eos_stands_at_its_end() -> None:
    text = " the \u2003cat  "
    (result,) = scored(ToyLanguageModel(), [text], contexts=["the cat sat"])
    assert isinstance(result.tokens, list)
    assert [(token.text, token.start, token.end) for token in result.tokens] == [
        ("the", 1, 4),
        ("cat", 6, 9),
        ("<EOS>", 11, 11),
    ]


def test_ranks_and_alternatives() -> None:
    model = ToyLanguageModel()
    (result,) = scored(model, ["the dog"], top=8)
    assert isinstance(result.tokens, list)
    for token in result.tokens:
        assert isinstance(token.top, list)
        best = [item.log_prob for item in token.top]
        assert best == sorted(best, reverse=True)
        shown = "<UNK>" if token.is_unknown else token.text
        assert token.top[token.rank - 1].text == shown
        assert token.top[token.rank - 1].log_prob == token.log_prob
        assert math.fsum(map(math.exp, best)) == pytest.approx(1, abs=1e-6)
    assert [token.is_unknown for token in result.tokens] == [False, True, False]


def test_more_alternatives_than_types_are_all_types() -> None:
    (result,) = scored(ToyLanguageModel(), ["the"], top=20)
    assert isinstance(result.tokens, list)
    assert [len(token.top) for token in result.tokens] == [8, 8]  # type: ignore[arg-type]


def test_without_alternatives_ranks_are_there_all_the_same() -> None:
    model = ToyLanguageModel()
    (many,), (none,) = (scored(model, ["the cat ."], top=top) for top in (5, 0))
    assert isinstance(many.tokens, list)
    assert isinstance(none.tokens, list)
    assert [token.rank for token in none.tokens] == [token.rank for token in many.tokens]
    assert all(not isinstance(token.top, list) for token in none.tokens)


@pytest.mark.parametrize(("eos", "num_tokens"), [(True, 1), (False, 0)])
def test_an_empty_text(eos: bool, num_tokens: int) -> None:
    (result,) = scored(ToyLanguageModel(), [""], eos=eos)
    assert (result.num_tokens, result.num_unknown) == (num_tokens, 0)
    if eos:
        assert result.perplexity == pytest.approx(math.exp(-result.log_prob))
    else:
        assert (result.log_prob, result.prob, result.perplexity, result.perplexity_known) == (0.0, 1.0, None, None)
        assert result.tokens == []


def test_unknown_words_alone_have_a_finite_probability() -> None:
    (result,) = scored(ToyLanguageModel(), ["dog dog dog"], eos=False)
    assert math.isfinite(result.log_prob)
    assert result.num_unknown == 3
    assert result.perplexity is not None
    assert result.perplexity_known is None


def test_numbers_of_a_text_fit_together() -> None:
    (result,) = scored(ToyLanguageModel(), ["the dog sat ."])
    assert isinstance(result.tokens, list)
    known = [token.log_prob for token in result.tokens if not token.is_unknown]
    assert result.log10_prob == pytest.approx(result.log_prob / math.log(10))
    assert result.prob == pytest.approx(math.exp(result.log_prob))
    assert result.perplexity == pytest.approx(math.exp(-result.log_prob / 5))
    assert result.perplexity_known == pytest.approx(math.exp(-math.fsum(known) / 4))


def test_prob_underflows_and_log_prob_does_not() -> None:
    (result,) = scored(ToyLanguageModel(), ["the cat " * 3000], tokens=False)
    assert result.prob == 0.0
    assert math.isfinite(result.log_prob)
    assert result.log_prob < -745


def test_eos_is_counted_where_it_was_learned() -> None:
    ends, runs_on = ToyLanguageModel(), ToyLanguageModel(ends_sentences=False)
    assert [counts_eos(ends, asked) for asked in (None, True, False)] == [True, True, False]
    assert [counts_eos(runs_on, asked) for asked in (None, False)] == [False, False]
    with pytest.raises(InvalidRequestError, match="never learned <EOS>") as caught:
        counts_eos(runs_on, True)
    assert caught.value.fields[0].pointer == "/eos"


@pytest.mark.parametrize(
    ("texts", "pointer"),
    [
        ([("a " * 5, ("text",))], "/text"),
        ([("a", ("text", 0)), ("a a a a a", ("text", 1))], "/text/1"),
        ([("a a a a", ("text", 0)), ("a a a a", ("text", 1))], "/text"),
    ],
    ids=["one", "one of two", "all together"],
)
def test_limits_count_tokens(texts: list[tuple[str, Place]], pointer: str) -> None:
    reader = TextReader(ToyLanguageModel(), Limits(max_tokens=4, max_request_tokens=7))  # type: ignore[arg-type]
    nothing = reader.read_context("", ("context",))
    *before, (last, place) = texts
    for text, fine in before:
        reader.read(text, fine, context=nothing, eos=False)
    with pytest.raises(TextTooLongError) as caught:
        reader.read(last, place, context=nothing, eos=False)
    assert caught.value.fields[0].pointer == pointer


def test_a_context_that_texts_share_counts_once() -> None:
    reader = TextReader(ToyLanguageModel(), Limits(max_tokens=9, max_request_tokens=53))
    contexts = [reader.read_context(text, ("context",)) for text in ["a a"] * 50 + [""]]
    assert [len(found.ids) for found in contexts] == [2] * 50 + [0]
    inputs = [reader.read("", ("text",), context=context, eos=True) for context in contexts]
    assert sequences_of(inputs).context_of == [0] * 50 + [1]
    assert reader.num_tokens == 2 + 51
