"""A loaded encoder-decoder: texts in, other texts out, each the same alone and in any company."""

import math

import numpy as np
import pytest

from seqserve.transducer.beam import Search
from seqserve.transducer.model import Encoded, TransducerBundle, TransduceRow
from seqserve.vocabulary.tokens import EOS_ID, START_ID, UNKNOWN_ID
from tests.seqserve.tiny_transducer import KNOWN, TINY_TRANSLATE, open_tiny_transducer


@pytest.fixture(scope="module")
def bundle() -> TransducerBundle:
    return open_tiny_transducer()


def row(bundle: TransducerBundle, text: str, *, beams: int = 1, max_tokens: int = 20) -> TransduceRow:
    return TransduceRow(bundle.source_ids(text), Search(beams, max_tokens))


def test_it_is_small_and_reproducible(bundle: TransducerBundle) -> None:
    assert bundle.reproducible
    assert sum(path.stat().st_size for path in TINY_TRANSLATE.iterdir()) < 60_000


@pytest.mark.parametrize("beams", [1, 4])
@pytest.mark.parametrize("text", KNOWN)
def test_it_gives_what_it_learned(bundle: TransducerBundle, text: str, beams: int) -> None:
    (found,) = bundle.transduce([row(bundle, text, beams=beams)])
    assert bundle.text_of(found.ids) == KNOWN[text]
    assert found.finish_reason == "eos"
    assert -1 < found.log_prob < 0


def test_it_puts_words_together_that_it_knows_apart(bundle: TransducerBundle) -> None:
    (found,) = bundle.transduce([row(bundle, "Tom is old.")])
    assert bundle.text_of(found.ids) == "Tom est vieux."


def test_log_prob_is_that_of_the_models_own_steps(bundle: TransducerBundle) -> None:
    (found,) = bundle.run([row(bundle, "Where is the dog?", beams=3)])
    encoded, total = bundle.encode([bundle.source_ids("Where is the dog?")]), 0.0
    for previous, token in zip((START_ID, *found.ids), found.ids, strict=False):
        decoded = bundle.decode(encoded, np.array([previous], np.int32), num_top=len(bundle.target))
        total += float(decoded.top_log_probs[0, decoded.top_ids[0].tolist().index(token)])
        encoded = Encoded(decoded.state, encoded.lengths, encoded.memory)
    assert found.log_prob == total


def test_texts_together_are_texts_alone(bundle: TransducerBundle) -> None:
    texts = [*KNOWN, "zzqxv", "The dog is happy.", "Tom", "old old old old old old old"] * 3
    rows = [row(bundle, text, beams=1 + number % 5, max_tokens=8) for number, text in enumerate(texts)]
    alone = [bundle.run([each])[0] for each in rows]
    assert bundle.run(rows) == alone
    assert bundle.run(rows[::-1]) == alone[::-1]
    assert bundle.transduce(rows) == alone


def test_a_run_made_in_parts_finds_what_one_run_finds(bundle: TransducerBundle) -> None:
    texts = [*KNOWN, "zzqxv", "old old old old old old old"]
    rows = [row(bundle, text, beams=1 + 3 * (number % 5), max_tokens=8) for number, text in enumerate(texts)]
    begun = bundle.begin(rows)
    costs = [begun.advance(-math.inf)]  # one step each time
    while any(begun.result(number) is None for number in range(len(rows))):
        costs.append(begun.advance(-math.inf))
    assert len(costs) == 8
    assert [begun.result(number) for number in range(len(rows))] == bundle.run(rows)
    assert all(sum(each) > 0 for each in costs)


def test_a_row_costs_by_its_hypotheses_and_nothing_when_it_is_done(bundle: TransducerBundle) -> None:
    begun = bundle.begin([row(bundle, "Tom", beams=1, max_tokens=1), row(bundle, "Tom", beams=16, max_tokens=8)])
    first, second, *_ = [begun.advance(-math.inf) for _ in range(4)]
    assert first[0] == first[1]  # both begin with one hypothesis
    assert second[0] == 0
    assert second[1] > first[1]


def test_a_row_that_is_given_up_ends_with_what_was_found(bundle: TransducerBundle) -> None:
    begun = bundle.begin([row(bundle, text) for text in ("Where is the dog?", "I am happy.")])
    begun.advance(-math.inf)
    begun.give_up(0)
    begun.advance(math.inf)
    found = begun.result(0)
    assert found is not None
    assert bundle.text_of(found.ids) == "Où"
    assert begun.result(1) == bundle.run([row(bundle, "I am happy.")])[0]


def test_a_row_whose_deadline_has_passed_is_given_up(bundle: TransducerBundle) -> None:
    rows = [row(bundle, "I am happy.")._replace(deadline=0.0), row(bundle, "I am happy.")]
    late, whole = bundle.run(rows)
    assert late.ids == ()
    assert whole.finish_reason == "eos"


def test_unknown_is_never_an_answer(bundle: TransducerBundle) -> None:
    for found in bundle.run([row(bundle, "zzqxv zzqxv zzqxv", beams=beams) for beams in (1, 16)]):
        assert UNKNOWN_ID not in found.ids


def test_an_answer_is_cut_off_at_its_limit(bundle: TransducerBundle) -> None:
    (found,) = bundle.run([row(bundle, "Where is the dog?", max_tokens=3)])
    assert (found.finish_reason, bundle.text_of(found.ids)) == ("length", "Où est le")


def test_both_apostrophes_are_one(bundle: TransducerBundle) -> None:
    assert bundle.source_ids("I don’t know.").tolist() == bundle.source_ids("I don't know.").tolist()


def test_source_ids_stop_one_after_the_limit(bundle: TransducerBundle) -> None:
    limit = bundle.manifest.limits.max_source_tokens
    assert [len(bundle.source_ids("a " * number)) for number in (0, limit, limit + 1, 99)] == [
        0,
        limit,
        limit + 1,
        limit + 1,
    ]


def test_what_the_graphs_must_not_see_is_refused(bundle: TransducerBundle) -> None:
    encoded = bundle.encode([np.array([2], np.int32)])
    for ids in ([], [len(bundle.source)], [-1], [2] * 13):
        with pytest.raises(ValueError, match=r"a text has 1 to 12 tokens|source ids must lie in"):
            bundle.encode([np.array(ids, np.int32)])
    with pytest.raises(ValueError, match="at least one token"):
        bundle.transduce([TransduceRow(np.zeros(0, np.int32), Search(1, 5))])
    for previous, num_top in ((START_ID - 1, 1), (len(bundle.target), 1), (2, 0)):
        with pytest.raises(ValueError, match="target ids must lie in"):
            bundle.decode(encoded, np.array([previous], np.int32), num_top=num_top)
    broken = Encoded(np.full_like(encoded.state, math.nan), encoded.lengths, encoded.memory)
    with pytest.raises(ValueError, match="no numbers"):
        bundle.decode(broken, np.array([START_ID], np.int32), num_top=1)


def test_the_end_is_no_part_of_the_text(bundle: TransducerBundle) -> None:
    assert bundle.text_of([EOS_ID]) == ""
