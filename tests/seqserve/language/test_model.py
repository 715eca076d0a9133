"""A loaded language model answers as its oracle in NumPy does, in any batch and in chunks."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.language.model import LanguageModelBundle, ScoredRow, ScoreRow
from seqserve.loading import load_bundle
from seqserve.vocabulary.tokens import START_ID, UNKNOWN_ID
from tests.seqserve.tiny_language_model import write_tiny
from tests.toy_language_model import ToyLanguageModel, step_batch

TOY = ToyLanguageModel(max_chunk_tokens=5)
FIELDS = ("log_probs", "ranks", "top_ids", "top_log_probs", "state")
id_rows = st.lists(st.lists(st.integers(0, 7), max_size=13), max_size=40)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> LanguageModelBundle:
    folder: Path = tmp_path_factory.mktemp("models") / "toy"
    write_tiny(folder, TOY)
    return load_bundle(folder, LanguageModelBundle)


def assert_close(found: ScoredRow, expected: ScoredRow) -> None:
    for name in FIELDS:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-5, err_msg=name)


@given(id_rows, st.sampled_from([0, 3, 8]))
def test_scores_are_those_of_the_oracle_in_the_order_of_the_rows(
    bundle: LanguageModelBundle, rows: list[list[int]], num_top: int
) -> None:
    found = bundle.score(rows, num_top=num_top)
    assert [len(scored.log_probs) for scored in found] == [len(row) for row in rows]
    for scored, expected in zip(found, TOY.score(rows, num_top=num_top), strict=True):
        assert scored.top_ids.shape == expected.top_ids.shape
        assert_close(scored, expected)


@given(id_rows)
def test_a_row_alone_has_the_bits_of_the_row_among_others(bundle: LanguageModelBundle, rows: list[list[int]]) -> None:
    for row, scored in zip(rows, bundle.score(rows, num_top=2), strict=True):
        (alone,) = bundle.score([row], num_top=2)
        assert all(getattr(alone, name).tobytes() == getattr(scored, name).tobytes() for name in FIELDS)


def test_log_probs_are_those_of_the_definition(bundle: LanguageModelBundle) -> None:
    ids = [2, 3, UNKNOWN_ID, 0, 7, 2, 2]
    expected = [TOY.distribution(ids[:place])[token_id] for place, token_id in enumerate(ids)]
    np.testing.assert_allclose(bundle.score([ids])[0].log_probs, expected, atol=1e-5)


def test_runs_are_of_few_rows_and_bounded_length() -> None:
    toy = ToyLanguageModel(max_chunk_tokens=5)
    toy.score([[2] * 11, *[[3] * 5] * 16])  # 5 tokens of 16 rows, then 5, 5 and 1 of the longest
    assert toy.num_runs == 4


def test_a_row_longer_than_a_chunk_is_refused_by_run_score(bundle: LanguageModelBundle) -> None:
    row = ScoreRow(START_ID, np.full(6, 2, np.int32), bundle.zero_state())
    with pytest.raises(ValueError, match="more than the 5 of max_chunk_tokens"):
        bundle.run_score([row])


def test_no_rows_are_refused_before_the_runtime_sees_them(bundle: LanguageModelBundle) -> None:
    with pytest.raises(ValueError, match="at least one row"):
        bundle.run_score([])
    assert bundle.score([]) == []


def test_steps_draw_as_the_oracle_and_sum_to_the_score(bundle: LanguageModelBundle) -> None:
    generator = np.random.default_rng(1)
    states = np.stack([bundle.zero_state()] * 4)
    previous = [START_ID] * 4
    drawn: list[list[int]] = [[] for _ in range(4)]
    log_probs = np.zeros((4, 9))
    for place in range(9):
        batch = step_batch(
            previous,
            states,
            uniforms=generator.random(4, np.float32).tolist(),
            temperatures=[0.0, 1.0, 1.0, 1.0],
            banned_ids=[[], [], [0, 1], [2, 3, 4]],
        )
        result, expected = bundle.run_step(batch), TOY.run_step(batch)
        assert result.next_ids.tolist() == expected.next_ids.tolist()
        np.testing.assert_allclose(result.log_probs, expected.log_probs, atol=1e-5)
        np.testing.assert_allclose(result.state, expected.state, atol=1e-6)
        previous, states = result.next_ids.tolist(), result.state
        log_probs[:, place] = result.log_probs
        for row, token_id in enumerate(previous):
            drawn[row].append(token_id)
    for row, scored in enumerate(bundle.score(drawn)):
        np.testing.assert_allclose(log_probs[row], scored.log_probs, atol=1e-5)


def test_everything_banned_draws_nothing(bundle: LanguageModelBundle) -> None:
    batch = step_batch([START_ID, 2], np.stack([bundle.zero_state()] * 2), banned_ids=[list(range(8)), [2]])
    next_ids = bundle.run_step(batch).next_ids
    assert next_ids[0] == -1
    assert next_ids[1] >= 0


def test_a_step_with_wrong_arrays_never_reaches_the_runtime(bundle: LanguageModelBundle) -> None:
    with pytest.raises(ValueError, match="previous_ids must lie in -1 to 7"):
        bundle.run_step(step_batch([8], bundle.zero_state()))


def test_text_is_tokenised_looked_up_and_written_again(bundle: LanguageModelBundle) -> None:
    encoded = bundle.encode(" the cat\nsat  <EOS> <UNK> .")
    assert encoded.ids == [3, 4, 5, UNKNOWN_ID, UNKNOWN_ID, 2]
    assert [(token.start, token.end) for token in encoded.tokens[:3]] == [(1, 4), (5, 8), (9, 12)]
    detokenizer = bundle.detokenizer()
    assert "".join(detokenizer.push(bundle.vocabulary.form_of(number)) for number in (3, 4, 5)) == "the cat sat"
    assert len(bundle.encode("the " * 50, limit=3).ids) == 4
    assert bundle.encode("").ids == []


def test_characters_are_tokens_of_their_own() -> None:
    toy = ToyLanguageModel("character")
    encoded = toy.encode("a\nbé x")
    assert encoded.ids == [2, 5, 4, 6, 3, UNKNOWN_ID]
