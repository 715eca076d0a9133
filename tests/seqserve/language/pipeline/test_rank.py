"""Totals, posteriors and the order of candidates."""

import itertools
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.errors import InvalidRequestError, TextTooLongError
from seqserve.language.answers import RankedCandidate
from seqserve.language.options import Candidate, RankOptions
from seqserve.language.pipeline.rank import RankTask, rank_candidates, read_rank
from seqserve.language.scoring import Sums, score_sequences
from seqserve.reading import Limits
from tests.toy_language_model import ToyLanguageModel

# Not st.floats: a session that a test before has opened sets denormal numbers to zero, which hypothesis refuses.
FINITE = st.integers(-(10**7), 10**7).map(lambda number: number / 10)


def with_options(**given: Any) -> RankOptions:
    return RankOptions(candidates=[], **given)


def answered(model: ToyLanguageModel, task: RankTask) -> list[RankedCandidate]:
    return task.ranking(score_sequences(model.run_rows, task.sequences, model.manifest))


def ranked(rows: list[tuple[float, float, int]], options: RankOptions | None = None) -> list[RankedCandidate]:
    """Rank candidates of (outside score, log_prob, number of tokens)."""
    candidates = [Candidate(text=str(number), score=score) for number, (score, _, _) in enumerate(rows)]
    sums = [Sums(log_prob, num_tokens, log_prob, 0) for _, log_prob, num_tokens in rows]
    return rank_candidates(candidates, sums, options or with_options())


@pytest.mark.parametrize(
    ("options", "total"),
    [
        (with_options(), -3.0 + -8.0),
        (with_options(lm_weight=0.5), -3.0 + 0.5 * -8.0),
        (with_options(length_bonus=0.25), -3.0 + -8.0 + 0.25 * 4),
        (with_options(normalize="tokens"), -3.0 + -8.0 / 4),
        (with_options(lm_weight=-2.0, length_bonus=-1.0, normalize="tokens"), -3.0 + 2.0 * 2.0 - 4.0),
    ],
    ids=["plain", "weight", "bonus", "per token", "all"],
)
def test_total(options: RankOptions, total: float) -> None:
    found = {item.index: item.total for item in ranked([(-3.0, -8.0, 4), (0.0, -9.0, 1)], options)}
    assert found[0] == pytest.approx(total)


@given(st.lists(st.tuples(FINITE, FINITE, st.integers(0, 50)), min_size=2, max_size=30))
def test_best_first_and_posteriors_sum_to_one(rows: list[tuple[float, float, int]]) -> None:
    ranking = ranked(rows)
    totals = [item.total for item in ranking]
    assert totals == sorted(totals, reverse=True)
    assert math.fsum(item.posterior for item in ranking) == pytest.approx(1)
    posteriors = [item.posterior for item in ranking]
    assert posteriors == sorted(posteriors, reverse=True)
    assert sorted(item.index for item in ranking) == list(range(len(rows)))
    for first, second in itertools.pairwise(ranking):
        assert first.total > second.total or first.index < second.index


def test_ties_keep_the_order_of_the_client() -> None:
    ranking = ranked([(0.0, -5.0, 1), (1.0, -2.0, 1), (0.0, -5.0, 1), (0.0, -1.0, 2), (0.0, -5.0, 3)])
    assert [item.index for item in ranking] == [1, 3, 0, 2, 4]


@pytest.mark.parametrize("normalize", ["none", "tokens"])
def test_a_candidate_without_tokens_has_a_total(normalize: str) -> None:
    ranking = ranked([(0.0, 0.0, 0), (0.0, -5.0, 1)], with_options(normalize=normalize))
    assert [item.total for item in ranking] == [0.0, -5.0]


def test_huge_totals_have_posteriors() -> None:
    assert [item.posterior for item in ranked([(-1e308, -1.0, 1), (1e308, -1.0, 1)])] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        ([(0.0, -1.0, 1), (-1e308, -1e308, 1)], with_options(lm_weight=10.0)),
        ([(0.0, 0.0, 0), (0.0, -1e10, 1)], with_options(lm_weight=1e300)),
        ([(0.0, -1.0, 0), (0.0, -1e10, 9)], with_options(lm_weight=1e300, length_bonus=1e308)),
    ],
    ids=["sum", "product", "infinity less infinity"],
)
def test_a_total_that_is_not_finite_is_refused(rows: list[tuple[float, float, int]], options: RankOptions) -> None:
    with pytest.raises(InvalidRequestError, match="is not finite") as caught:
        ranked(rows, options)
    assert caught.value.fields[0].pointer == "/candidates/1"


def test_a_request_is_answered_with_the_models_own_numbers() -> None:
    model = ToyLanguageModel()
    candidates = ["the cat", Candidate(text="the dog", score=1.5), ""]
    options = RankOptions(candidates=candidates, context="sat .", lm_weight=0.5)
    task = read_rank(model, options, Limits())  # type: ignore[arg-type]
    assert task.sequences.num_tokens == 3 + 3 + 1 + 2  # <EOS> of each, and the context once
    for item in answered(model, task):
        before, ids = model.encode("sat .").ids, [*model.encode(item.text).ids, 0]
        wanted = [model.distribution([*before, *ids[:at]])[token] for at, token in enumerate(ids)]
        assert item.log_prob == pytest.approx(math.fsum(wanted), abs=1e-5)
        assert item.total == item.score + 0.5 * item.log_prob
        assert item.num_unknown == item.text.count("dog")
        assert item.num_tokens == len(ids)


def test_a_model_of_running_text_counts_no_eos() -> None:
    model = ToyLanguageModel("character", ends_sentences=False)
    task = read_rank(model, RankOptions(candidates=["a", ""]), Limits())  # type: ignore[arg-type]
    assert {item.text: item.num_tokens for item in answered(model, task)} == {"a": 1, "": 0}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"candidates": ["a", "a a a a a"]}, "/candidates/1"),
        ({"candidates": ["a", {"text": "a a a a a"}]}, "/candidates/1/text"),
        ({"candidates": ["a", "a"], "context": "a a a a a"}, "/context"),
        ({"candidates": ["a a a", "a a a"]}, "/candidates"),
    ],
    ids=["candidate", "candidate with a score", "context", "all together"],
)
def test_limits(body: dict[str, object], pointer: str) -> None:
    with pytest.raises(TextTooLongError) as caught:
        read_rank(ToyLanguageModel(), msgspec.convert(body, RankOptions), Limits(max_tokens=4, max_request_tokens=7))  # type: ignore[arg-type]
    assert caught.value.fields[0].pointer == pointer
