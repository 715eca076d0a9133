"""Texts to probabilities: sums, perplexities, chunks, contexts; the toy model's own distribution is the oracle."""

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.errors import InvalidRequestError, TextTooLongError
from seqserve.language.answers import ScoreResult
from seqserve.language.model import ScoredRow, ScoreRow
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.engine.models import LanguageModel, run_score_rows
from seqserve.service.errors import DeadlineExceededError
from seqserve.service.tasks.read_texts import Intake, TokenLimits
from seqserve.service.tasks.score import ScoreOptions, Sums, counts_eos, score_inputs, sums_of
from seqserve.vocabulary.tokens import EOS_ID, UNKNOWN_ID
from tests.service.toys import open_toy

TEXTS = ["the cat sat .", "", "the dog ran .", "sat", "dog dog", "the cat ran . the cat sat . 's 's 's"]
EVERYTHING = ScoreOptions(tokens=True, top=3)


def scored(
    model: LanguageModel,
    texts: list[str],
    *,
    contexts: list[str] | None = None,
    eos: bool = True,
    options: ScoreOptions = EVERYTHING,
) -> list[ScoreResult]:
    intake = Intake(model.bundle, TokenLimits())
    before = intake.encode_contexts((text, "/context") for text in contexts or [""] * len(texts))
    inputs = [intake.encode(text, "/text", eos=eos) for text in texts]
    results, _ = score_inputs(model, inputs, before, options, cancellation=Cancellation(time.monotonic() + 60))
    return results


def expected(model: LanguageModel, context: str, text: str, *, eos: bool = True) -> list[float]:
    """Log-probabilities of the text's tokens, each from the start, without chunks or batches."""
    before = model.bundle.encode(context).ids
    ids = model.bundle.encode(text).ids + [EOS_ID] * eos
    toy = model.bundle
    return [float(toy.distribution([*before, *ids[:at]])[token]) for at, token in enumerate(ids)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("eos", [True, False])
@pytest.mark.parametrize("context", ["", "the", "the dog ran . the"])
@pytest.mark.parametrize("max_chunk_tokens", [1, 3, 128])
def test_each_token_has_the_models_own_probability(eos: bool, context: str, max_chunk_tokens: int) -> None:
    model = open_toy(max_chunk_tokens=max_chunk_tokens)
    results = scored(model, TEXTS, contexts=[context] * len(TEXTS), eos=eos)
    for text, result in zip(TEXTS, results, strict=True):
        wanted = expected(model, context, text, eos=eos)
        assert isinstance(result.tokens, list)
        assert [token.log_prob for token in result.tokens] == pytest.approx(wanted, abs=1e-5)
        assert result.log_prob == math.fsum(token.log_prob for token in result.tokens)
        assert result.num_tokens == len(wanted)


def test_chunks_and_neighbours_change_no_bit() -> None:
    whole = scored(open_toy(), TEXTS, contexts=TEXTS[::-1])
    for size in (1, 2, 5):
        model = open_toy(max_chunk_tokens=size)
        assert scored(model, TEXTS, contexts=TEXTS[::-1]) == whole
        alone = [scored(model, [text], contexts=[before])[0] for text, before in zip(TEXTS, TEXTS[::-1], strict=True)]
        assert alone == whole


def test_a_context_that_texts_share_is_computed_once() -> None:
    model = open_toy(max_chunk_tokens=4)
    scored(model, ["the cat"] * 8, contexts=["the dog ran . sat"] * 8)
    assert model.bundle.num_runs == 2 + 1  # type: ignore[attr-defined]


def test_texts_advance_together() -> None:
    model = open_toy(max_chunk_tokens=4)
    scored(model, ["the " * 12] * 5, eos=False)
    assert model.bundle.num_runs == 3  # type: ignore[attr-defined]


def test_words_after_a_context_are_those_of_the_whole() -> None:
    model = open_toy()
    ((whole,), (part,)) = (
        scored(model, ["the cat sat ."]),
        scored(model, ["sat ."], contexts=["the cat"]),
    )
    assert isinstance(whole.tokens, list)
    assert isinstance(part.tokens, list)
    assert [token.log_prob for token in part.tokens] == [token.log_prob for token in whole.tokens[2:]]


def test_offsets_are_those_of_the_text_and_eos_stands_at_its_end() -> None:
    text = " the \u2003cat  "
    (result,) = scored(open_toy(), [text], contexts=["the cat sat"])
    assert isinstance(result.tokens, list)
    assert [(token.text, token.start, token.end) for token in result.tokens] == [
        ("the", 1, 4),
        ("cat", 6, 9),
        ("<EOS>", 11, 11),
    ]


def test_ranks_and_alternatives() -> None:
    model = open_toy()
    (result,) = scored(model, ["the dog"], options=ScoreOptions(tokens=True, top=8))
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
    (result,) = scored(open_toy(), ["the"], options=ScoreOptions(tokens=True, top=20))
    assert isinstance(result.tokens, list)
    assert [len(token.top) for token in result.tokens] == [8, 8]  # type: ignore[arg-type]


def test_without_alternatives_ranks_are_there_all_the_same() -> None:
    model = open_toy()
    (many,), (none,) = (scored(model, ["the cat ."], options=ScoreOptions(tokens=True, top=top)) for top in (5, 0))
    assert isinstance(many.tokens, list)
    assert isinstance(none.tokens, list)
    assert [token.rank for token in none.tokens] == [token.rank for token in many.tokens]
    assert all(not isinstance(token.top, list) for token in none.tokens)


def test_rows_with_and_without_alternatives_share_no_run() -> None:
    toy = open_toy().bundle
    asked: list[int] = []

    class Recorder:
        def run_score(self, rows: list[ScoreRow]) -> list[ScoredRow]:
            asked.append(len({bool(row.num_top) for row in rows}))
            return toy.run_score(rows)

    rows = [ScoreRow(-1, np.array([number + 1], np.int32), toy.zero_state(), number % 3) for number in range(6)]
    mixed = run_score_rows(Recorder(), rows)  # type: ignore[arg-type]
    assert asked == [1, 1]
    for row, result in zip(rows, mixed, strict=True):
        (alone,) = toy.run_score([row])
        assert result.log_probs.tobytes() == alone.log_probs.tobytes()
        assert result.top_ids.tolist() == alone.top_ids.tolist()


@pytest.mark.parametrize(("eos", "num_tokens"), [(True, 1), (False, 0)])
def test_an_empty_text(eos: bool, num_tokens: int) -> None:
    (result,) = scored(open_toy(), [""], eos=eos)
    assert (result.num_tokens, result.num_unknown) == (num_tokens, 0)
    if eos:
        assert result.perplexity == pytest.approx(math.exp(-result.log_prob))
    else:
        assert (result.log_prob, result.prob, result.perplexity, result.perplexity_known) == (0.0, 1.0, None, None)
        assert result.tokens == []


def test_unknown_words_alone_have_a_finite_probability() -> None:
    (result,) = scored(open_toy(), ["dog dog dog"], eos=False)
    assert math.isfinite(result.log_prob)
    assert result.num_unknown == 3
    assert result.perplexity is not None
    assert result.perplexity_known is None


def test_numbers_of_a_text_fit_together() -> None:
    (result,) = scored(open_toy(), ["the dog sat ."])
    assert isinstance(result.tokens, list)
    known = [token.log_prob for token in result.tokens if not token.is_unknown]
    assert result.log10_prob == pytest.approx(result.log_prob / math.log(10))
    assert result.prob == pytest.approx(math.exp(result.log_prob))
    assert result.perplexity == pytest.approx(math.exp(-result.log_prob / 5))
    assert result.perplexity_known == pytest.approx(math.exp(-math.fsum(known) / 4))


def test_prob_underflows_and_log_prob_does_not() -> None:
    (result,) = scored(open_toy(), ["the cat " * 3000], options=ScoreOptions())
    assert result.prob == 0.0
    assert math.isfinite(result.log_prob)
    assert result.log_prob < -745


def test_a_perplexity_that_overflows_is_none() -> None:
    assert Sums(-1e4, 1, -1e4, 0).perplexity is None
    assert Sums(-1e4, 1, -1e4, 0).perplexity_known is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-500, 0)), max_size=40), st.integers(0, 40))
def test_sums_of_parts_are_the_sums_of_the_whole(tokens: list[tuple[int, int]], cut: int) -> None:
    ids = np.array([token for token, _ in tokens], np.int32)
    log_probs = np.array([value / 10 for _, value in tokens], np.float32)
    whole = sums_of(ids, log_probs)
    parts = sums_of(ids[:cut], log_probs[:cut]) + sums_of(ids[cut:], log_probs[cut:])
    assert parts.log_prob == pytest.approx(whole.log_prob)
    assert parts.log_prob_known == pytest.approx(whole.log_prob_known)
    assert (parts.num_tokens, parts.num_unknown) == (whole.num_tokens, whole.num_unknown)
    assert whole.num_unknown == int((ids == UNKNOWN_ID).sum())


def test_sums_are_taken_in_float64() -> None:
    log_probs = np.full(2**20, -0.1, np.float32)
    exact = 2**20 * float(np.float32(-0.1))
    assert sums_of(np.full(2**20, 5, np.int32), log_probs).log_prob == pytest.approx(exact, rel=1e-14)


def test_eos_is_counted_where_it_was_learned() -> None:
    ends, runs_on = open_toy(), open_toy(ends_sentences=False)
    assert [counts_eos(ends, asked) for asked in (None, True, False)] == [True, True, False]
    assert [counts_eos(runs_on, asked) for asked in (None, False)] == [False, False]
    with pytest.raises(InvalidRequestError, match="never learned <EOS>") as caught:
        counts_eos(runs_on, True)
    assert caught.value.fields[0].pointer == "/eos"


def test_a_deadline_that_passed_ends_the_work_between_chunks() -> None:
    model = open_toy(max_chunk_tokens=1)
    intake = Intake(model.bundle, TokenLimits())
    inputs = [intake.encode("the " * 5_000, "/text")]
    contexts = intake.encode_contexts([("", "/context")])
    with pytest.raises(DeadlineExceededError):
        score_inputs(model, inputs, contexts, EVERYTHING, cancellation=Cancellation(time.monotonic() + 0.01))
    assert model.bundle.num_runs < 5_000  # type: ignore[attr-defined]
    assert model.batcher.pending_tokens == 0


@pytest.mark.parametrize(
    ("texts", "pointer"),
    [
        ([("a " * 5, "/text")], "/text"),
        ([("a", "/text/0"), ("a a a a a", "/text/1")], "/text/1"),
        ([("a a a a", "/text/0"), ("a a a a", "/text/1")], "/text"),
    ],
    ids=["one", "one of two", "all together"],
)
def test_limits_count_tokens(texts: list[tuple[str, str]], pointer: str) -> None:
    intake = Intake(open_toy().bundle, TokenLimits(max_tokens=4, max_request_tokens=7))
    *before, (last, place) = texts
    for text, fine in before:
        intake.encode(text, fine)
    with pytest.raises(TextTooLongError) as caught:
        intake.encode(last, place)
    assert caught.value.fields[0].pointer == pointer


def test_a_context_that_texts_share_counts_once() -> None:
    intake = Intake(open_toy().bundle, TokenLimits(max_tokens=9, max_request_tokens=9))
    ids, numbers = intake.encode_contexts([("a a", "/context")] * 50 + [("", "/context")])
    assert [len(found) for found in ids] == [2, 0]
    assert numbers == [0] * 50 + [1]
    assert intake.num_tokens == 2
