"""Beam search against enumeration and against plain argmax decoding, on toy models of a few tokens."""

import itertools

import numpy as np
import pytest

from seqserve.transducer.beam import BeamSearch, Hypothesis, Search, search
from seqserve.vocabulary.tokens import EOS_ID, START_ID, UNKNOWN_ID

NUM_IDS = 5  # <EOS>, <UNK>, and three tokens


class ToyModel:
    """Next tokens' log-probabilities depend on the text and on all tokens before, by a seeded table."""

    def __init__(self, seeds, *, spread=1.5):
        self.seeds, self.spread = seeds, spread
        self.prefixes = [(START_ID,)] * len(seeds)  # of the rows of the last step
        self.widths = []

    def log_probs(self, text, prefix):
        generator = np.random.default_rng([self.seeds[text], *(token + 1 for token in prefix)])
        logits = generator.normal(0, self.spread, NUM_IDS)
        return (logits - np.log(np.exp(logits).sum())).astype(np.float32)

    def step(self, rows):
        begun = self.prefixes
        self.prefixes = [
            (*begun[parent][: None if token != START_ID else 0], token)
            for parent, token in zip(rows.parents, rows.previous_ids.tolist(), strict=True)
        ]
        self.widths.append(np.bincount(rows.texts).tolist())
        found = np.array([self.log_probs(text, prefix) for text, prefix in zip(rows.texts, self.prefixes, strict=True)])
        found[:, UNKNOWN_ID] = -np.inf
        order = np.argsort(-found, axis=1, kind="stable")[:, : min(rows.num_top, NUM_IDS - 1)]
        return order.astype(np.int32), np.take_along_axis(found, order, axis=1)

    def score(self, text, ids):
        prefix = (START_ID, *ids)
        return sum(float(self.log_probs(text, prefix[: place + 1])[token]) for place, token in enumerate(ids))


def every_answer(max_tokens):
    """All sequences that end with <EOS> within the limit."""
    known = [token for token in range(NUM_IDS) if token not in (EOS_ID, UNKNOWN_ID)]
    for length in range(max_tokens):
        for ids in itertools.product(known, repeat=length):
            yield (*ids, EOS_ID)


@pytest.mark.parametrize("seed", range(20))
def test_a_beam_wide_enough_finds_the_best_of_all(seed):
    found = search(ToyModel([seed]).step, [Search(beams=200, max_tokens=4)])[0]
    model = ToyModel([seed])
    best = max(every_answer(4), key=lambda ids: model.score(0, ids) / len(ids))
    assert found.ids == best
    assert found.log_prob == pytest.approx(model.score(0, best), abs=1e-12)
    assert found.finish_reason == "eos"


@pytest.mark.parametrize("seed", range(20))
def test_a_beam_of_one_takes_the_best_token_each_time(seed):
    model = ToyModel([seed])
    ids: list[int] = []
    while len(ids) < 6 and EOS_ID not in ids:
        log_probs = model.log_probs(0, (START_ID, *ids))
        log_probs[UNKNOWN_ID] = -np.inf
        ids.append(int(log_probs.argmax()))
    found = search(ToyModel([seed]).step, [Search(beams=1, max_tokens=6)])[0]
    assert list(found.ids) == ids
    assert found.log_prob == pytest.approx(model.score(0, ids), abs=1e-12)
    assert found.finish_reason == ("eos" if ids[-1] == EOS_ID else "length")


def test_wider_beams_find_better_answers_on_the_whole():
    scores = {
        beams: sum(each.score for each in search(ToyModel(range(60)).step, [Search(beams, 6)] * 60)) for beams in (1, 4)
    }
    assert scores[4] > scores[1]


def test_texts_together_are_texts_alone():
    wanted = [Search(1, 5), Search(4, 3), Search(16, 6), Search(2, 1), Search(3, 6)]
    together = search(ToyModel(range(5)).step, wanted)
    for text, each in enumerate(wanted):
        assert search(ToyModel([text]).step, [each]) == [together[text]]


def test_a_beam_shrinks_as_hypotheses_end_and_texts_leave():
    model = ToyModel(range(3))
    search(model.step, [Search(2, 6), Search(5, 6), Search(1, 6)])
    assert model.widths[0] == [1, 1, 1]
    assert len(model.widths) <= 6
    for before, after in itertools.pairwise(model.widths[1:]):
        assert all(late <= early for early, late in itertools.zip_longest(before, after, fillvalue=0))


def test_what_never_ends_is_cut_off():
    def step(rows):
        return np.full((len(rows.texts), 1), 3, np.int32), np.full((len(rows.texts), 1), -0.5, np.float32)

    assert search(step, [Search(1, 4)]) == [Hypothesis((3, 3, 3, 3), -2.0)]
    assert search(step, [Search(1, 4)])[0].finish_reason == "length"


def test_a_complete_answer_wins_over_a_better_one_that_was_cut_off():
    def step(rows):
        return np.array([[3, EOS_ID]] * len(rows.texts), np.int32), np.array([[-0.1, -3.0]] * len(rows.texts))

    assert search(step, [Search(2, 2)])[0].ids == (EOS_ID,)


def test_ties_go_to_the_lower_id():
    def step(rows):
        return np.array([[2, 3, 4]] * len(rows.texts), np.int32), np.full((len(rows.texts), 3), -1.0, np.float32)

    assert search(step, [Search(3, 2)])[0].ids == (2, 2)


def test_no_texts_need_no_step():
    assert search(lambda rows: pytest.fail("a step without rows"), []) == []


def test_a_text_that_is_given_up_ends_where_it_stands_and_the_others_do_not():
    model = ToyModel(range(3))
    wanted = [Search(2, 8)] * 3
    whole = search(ToyModel(range(3)).step, wanted)
    going = BeamSearch(model.step, wanted)
    going.advance()
    going.advance()
    going.give_up(1)
    while not going.is_done:
        going.advance()
    assert [going.result(0), going.result(2)] == [whole[0], whole[2]]
    assert len(going.result(1).ids) <= 2
    assert all(len(widths) < 2 or widths[1] == 0 for widths in model.widths[2:])


def test_a_text_that_is_given_up_before_its_first_step_has_an_empty_answer():
    going = BeamSearch(ToyModel([0]).step, [Search(2, 8)])
    assert going.result(0) is None
    going.give_up(0)
    assert going.is_done
    assert going.result(0) == Hypothesis((), 0.0)


def test_each_text_has_its_result_as_soon_as_its_own_beam_is_empty():
    wanted = [Search(1, 2), Search(4, 7)]
    model = ToyModel(range(2))
    going = BeamSearch(model.step, wanted)
    found = []
    while not going.is_done:
        assert going.num_live()[0] == 0 or found == []
        going.advance()
        if going.result(0) is not None:
            found.append(going.result(0))
    assert len(found) > 1
    assert set(found) == {search(ToyModel([0]).step, wanted[:1])[0]}
    assert going.result(1) == search(ToyModel(range(2)).step, wanted)[1]


def test_two_searches_whose_steps_alternate_find_what_each_finds_alone():
    wanted = [Search(3, 6), Search(16, 5)]
    searches = [BeamSearch(ToyModel([seed, seed + 1]).step, wanted) for seed in (0, 5)]
    while any(not going.is_done for going in searches):
        for going in searches:
            if not going.is_done:
                going.advance()
    for going, seed in zip(searches, (0, 5), strict=True):
        assert [going.result(text) for text in range(2)] == search(ToyModel([seed, seed + 1]).step, wanted)
