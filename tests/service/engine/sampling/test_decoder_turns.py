"""Sampling: fair turns, and an end for requests that cannot be answered."""

import threading
import time
from collections.abc import Sequence

import pytest

from seqserve.errors import InvalidRequestError
from seqserve.language.model import ScoredRow, ScoreRow, StepBatch, StepResult
from seqserve.service.engine.cancellation import ClientLeftError
from seqserve.service.engine.sampling.decoder import LOOK_TOKENS, QUANTUM_TOKENS, Decoder
from seqserve.service.engine.sampling.prefill import RUN_TOKENS
from seqserve.service.errors import DeadlineExceededError, InternalError, OverloadedError
from tests.service.decoding import FAR, NEVER_ENDS, Watched, draw, drawn_by_hand, spec, submit
from tests.toy_language_model import ToyLanguageModel


def test_a_long_prompt_never_holds_running_samples(model: Watched) -> None:
    model.permits = threading.Semaphore(0)
    decoder = Decoder(model)
    running = submit(decoder, spec(max_tokens=200, banned_ids=NEVER_ENDS))
    assert model.entered.wait(FAR)
    long = [submit(decoder, spec(prompt_ids=(2 + number,) * 1000, max_tokens=1)) for number in range(4)]
    model.permits.release(1000)
    for handle in (running, *long):
        handle.wait()
    kinds = [kind for kind, _ in model.runs]
    assert kinds.count("score") > 30
    assert all(kinds[at : at + 2] != ["score", "score"] for at in range(kinds.index("step"), 60))
    assert max(size for kind, size in model.runs if kind == "score") <= RUN_TOKENS


def test_a_short_sample_does_not_wait_for_a_crowd_of_long_ones(model: Watched) -> None:
    model.permits = threading.Semaphore(0)
    decoder = Decoder(model, max_slots=4)
    crowd = submit(decoder, *(spec(index, max_tokens=1000, banned_ids=NEVER_ENDS) for index in range(64)))
    assert model.entered.wait(FAR)
    short = submit(decoder, spec(max_tokens=5, banned_ids=NEVER_ENDS))
    model.permits.release(3 * QUANTUM_TOKENS)
    assert len(short.wait()[0].ids) == 5
    crowd.cancel()


def test_requests_take_turns_when_slots_are_free(model: Watched) -> None:
    model.permits = threading.Semaphore(0)
    decoder = Decoder(model, max_slots=2)
    submit(decoder, *(spec(index, max_tokens=3, banned_ids=NEVER_ENDS) for index in range(20)))
    assert model.entered.wait(FAR)
    other = submit(decoder, spec(max_tokens=3, banned_ids=NEVER_ENDS))
    model.permits.release(3 * 3)
    assert len(other.wait()[0].ids) == 3


def test_a_client_gets_a_slot_at_once_whatever_another_has(model: Watched) -> None:
    model.permits = threading.Semaphore(0)
    decoder = Decoder(model, max_slots=4)
    specs = [spec(index, max_tokens=1000, banned_ids=NEVER_ENDS) for index in range(8)]
    crowd = [submit(decoder, *specs, client="greedy") for _ in range(8)]
    assert model.entered.wait(FAR)
    honest = submit(decoder, *specs[:3], client="honest")
    model.permits.release(2 * LOOK_TOKENS)
    while len(model.steps) < LOOK_TOKENS:
        crowd[0].wait_for_news(0.001)
    assert [len(sample.ids) > 0 for sample in honest.samples] == [True, True, False]  # half of the slots
    for handle in (*crowd, honest):
        handle.cancel()
    model.permits.release(1000)


def test_prompts_of_clients_take_turns(model: Watched) -> None:
    model.permits = threading.Semaphore(0)
    decoder = Decoder(model)
    running = submit(decoder, spec(max_tokens=100, banned_ids=NEVER_ENDS))
    assert model.entered.wait(FAR)
    long = [submit(decoder, spec(prompt_ids=(2,) * 1000, max_tokens=1), client="greedy") for _ in range(20)]
    honest = submit(decoder, spec(prompt_ids=(3,) * 20, max_tokens=1), client="honest")
    model.permits.release(2)
    honest.wait()  # one that waited behind every prompt of the other client would want ten steps
    assert [kind for kind, _ in model.runs].count("score") <= 2
    for handle in (*long, running):
        handle.cancel()
    model.permits.release(1000)


def test_only_the_greedy_client_is_refused(model: Watched) -> None:
    model.permits = threading.Semaphore(0)
    decoder = Decoder(model, max_slots=4, max_waiting=16, client_share=0.5)
    specs = [spec(index, max_tokens=30, banned_ids=NEVER_ENDS) for index in range(20)]
    greedy = [submit(decoder, each, client="greedy") for each in specs[:10]]
    with pytest.raises(
        OverloadedError, match=r"^10 samples of this client .* and 1 more .* 20 .*\(--client-share\)\.$"
    ):
        submit(decoder, specs[0], client="greedy")
    honest = submit(decoder, *specs, client="honest")  # as many as there may be in all
    with pytest.raises(OverloadedError, match=r"^30 samples are .* limit of 20 "):
        submit(decoder, specs[0], client="third")
    assert decoder._room.held == 30
    model.permits.release(1000)
    for handle in (*greedy, honest):
        handle.wait()
    assert decoder._room.held == 0


def test_a_client_is_not_looked_at_before_its_time(model: Watched) -> None:
    decoder = Decoder(model)
    given = spec(max_tokens=3 * LOOK_TOKENS, banned_ids=NEVER_ENDS)
    (sample,) = submit(decoder, given, has_left=lambda: True, looks_at=time.monotonic() + FAR).wait()
    assert sample.finish_reason == "length"


def test_what_is_too_much_is_refused_at_once(model: Watched) -> None:
    model.permits = threading.Semaphore(0)
    decoder = Decoder(model, max_slots=2, max_waiting=3)
    running = submit(decoder, *(spec(index) for index in range(4)))
    with pytest.raises(OverloadedError) as caught:
        submit(decoder, spec(), spec(1))
    assert caught.value.retry_after_s is not None
    assert 1 <= caught.value.retry_after_s <= FAR
    last = submit(decoder, spec())
    model.permits.release(1000)
    running.wait()
    last.wait()
    assert draw(decoder, *(spec(index) for index in range(5)))
    assert decoder._room.held == 0


def test_the_deadline_is_looked_at_between_tokens(model: Watched) -> None:
    model.permits = threading.Semaphore(3)
    decoder = Decoder(model)
    handle = submit(decoder, spec(max_tokens=1000, banned_ids=NEVER_ENDS), deadline_s=0.05)
    other = submit(decoder, spec())
    threading.Timer(0.1, model.permits.release, [1000]).start()
    with pytest.raises(DeadlineExceededError):
        handle.wait()
    assert other.wait()[0].finish_reason is not None
    assert len(handle.samples[0].ids) < 1000


def test_a_deadline_that_has_passed_costs_no_run(model: Watched) -> None:
    with pytest.raises(DeadlineExceededError):
        submit(Decoder(model), spec(prompt_ids=(2,) * 50), deadline_s=-1).wait()
    assert model.runs == []


@pytest.mark.parametrize("leaves", [False, True], ids=["cancelled", "client left"])
def test_who_leaves_frees_the_slots_within_16_tokens(model: Watched, leaves: bool) -> None:
    model.permits = threading.Semaphore(0)
    decoder = Decoder(model)
    gone = threading.Event()
    specs = [spec(index, max_tokens=1000, banned_ids=NEVER_ENDS) for index in range(3)]
    left = submit(decoder, *specs, has_left=gone.is_set)
    stays = submit(decoder, spec(max_tokens=100, banned_ids=NEVER_ENDS))
    assert model.entered.wait(FAR)
    gone.set() if leaves else left.cancel()
    model.permits.release(1000)
    with pytest.raises(ClientLeftError):
        left.wait()
    stays.wait()
    assert all(len(sample.ids) <= 2 * LOOK_TOKENS for sample in left.samples)
    assert decoder._room.held == 0


def test_who_leaves_before_it_is_read_costs_no_run(model: Watched) -> None:
    model.permits = threading.Semaphore(0)
    decoder = Decoder(model)
    first = submit(decoder, spec(max_tokens=3, banned_ids=NEVER_ENDS))
    assert model.entered.wait(FAR)
    submit(decoder, spec(prompt_ids=(2, 3))).cancel()
    model.permits.release(1000)
    first.wait()
    assert {kind for kind, _ in model.runs} == {"step"}


class Melting(Watched):
    """Fails in the runs that a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.melts = threading.Event()

    def run_step(self, batch: StepBatch) -> StepResult:
        if self.melts.is_set():
            self.melts.clear()
            raise RuntimeError("the graph melted")
        return super().run_step(batch)

    def run_score(self, rows: Sequence[ScoreRow]) -> list[ScoredRow]:
        if any(row.ids[0] == 6 for row in rows):
            raise RuntimeError("the graph melted")
        return super().run_score(rows)


def test_a_failing_run_fails_its_samples_and_nobody_else() -> None:
    model = Melting()
    decoder = Decoder(model, max_slots=2)  # type: ignore[arg-type]
    model.melts.set()
    with pytest.raises(InternalError) as caught:
        draw(decoder, spec(0), spec(1), spec(2))
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert draw(decoder, spec()) == [drawn_by_hand(ToyLanguageModel(), spec())]
    assert decoder._room.held == 0


def test_a_failing_prompt_fails_its_request_and_nobody_else() -> None:
    decoder = Decoder(Melting())  # type: ignore[arg-type]
    fine = submit(decoder, spec(max_tokens=500, banned_ids=NEVER_ENDS))
    with pytest.raises(InternalError):
        draw(decoder, spec(prompt_ids=(6, 2)))
    assert len(fine.wait()[0].ids) == 500


def test_where_nothing_may_be_drawn_the_request_is_at_fault(model: Watched) -> None:
    decoder = Decoder(model)
    with pytest.raises(InvalidRequestError):
        draw(decoder, spec(banned_ids=tuple(range(len(model.vocabulary)))))
    assert decoder._room.held == 0


def test_a_bug_in_the_decoder_leaves_nobody_waiting(model: Watched) -> None:
    def fail(token_id: int) -> bool:
        raise KeyError(token_id)

    decoder = Decoder(model)
    with pytest.raises(InternalError):
        draw(decoder, spec(stops=fail, banned_ids=NEVER_ENDS))
    assert draw(decoder, spec()) == [drawn_by_hand(ToyLanguageModel(), spec())]
    assert decoder._room.held == 0


def test_a_decoder_reports_tokens_and_slots(model: Watched) -> None:
    decoder = Decoder(model, max_slots=2)
    reports: list[tuple[int, ...]] = []
    decoder.report = lambda *numbers: reports.append(numbers)
    found = draw(decoder, *(spec(index, max_tokens=3 + index) for index in range(3)))
    assert sum(num_tokens for num_tokens, _ in reports) == sum(len(ids) for ids, _, _ in found)
    assert max(num_active for _, num_active in reports) == 2
    assert reports[-1][1] == 0
