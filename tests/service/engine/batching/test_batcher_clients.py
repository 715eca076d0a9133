"""The batcher between clients: whose rows come next, who is refused, and runs that are made in parts."""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence

import gevent
import pytest

from seqserve.partial_run import PartialRun
from seqserve.service.engine.batching.batcher import Batcher
from seqserve.service.engine.batching.plan import BatchLimits
from seqserve.service.engine.cancellation import Cancellation, ClientLeftError
from seqserve.service.errors import DeadlineExceededError, InternalError, OverloadedError
from tests.service.engine.batching.test_batcher import FAR, Gate
from tests.service.engine.test_event_loop import in_the_loop, wait_until

FOUR_ROWS = BatchLimits(max_rows=4, max_padded_tokens=400)


@pytest.fixture
def gate() -> Gate:
    return Gate()


def ask(
    batcher: Batcher[int, int], rows: Sequence[int], client: str, *, length: int = 10, deadline_s: float = FAR
) -> list[int]:
    cancellation = Cancellation(time.monotonic() + deadline_s, client=client)
    return batcher.submit(list(rows), [length] * len(rows), cancellation=cancellation).results


def measured(batcher: Batcher[int, int], tokens_per_s: float) -> None:
    """Let a batcher believe that it has been this fast for so long that what a test takes counts for nothing."""
    batcher._recent_tokens, batcher._recent_s = 100_000.0 * tokens_per_s, 100_000.0


@in_the_loop
def test_an_honest_client_waits_for_one_batch_of_a_greedy_one(gate: Gate) -> None:
    batcher = Batcher(gate.run, max_queue_tokens=10_000, limits=FOUR_ROWS)
    greedy = [gevent.spawn(ask, batcher, range(100 * each, 100 * each + 40), "greedy") for each in range(1, 4)]
    wait_until(lambda: len(batcher._queue) == 116)
    measured(batcher, 100_000)
    honest = gevent.spawn(ask, batcher, [7], "honest")
    gate.pass_when_queued(batcher, 117)
    assert honest.get() == [14]
    assert [len(done.get()) for done in greedy] == [40] * 3
    assert 7 in gate.batches[1]
    assert len(gate.batches[1]) == 4  # in company


@in_the_loop
def test_a_client_with_few_tokens_is_served_until_it_has_been_given_as_many(gate: Gate) -> None:
    batcher = Batcher(gate.run, max_queue_tokens=10_000, limits=BatchLimits(max_rows=1))
    greedy = gevent.spawn(ask, batcher, range(10, 20), "greedy", length=40)
    wait_until(gate.entered.is_set)
    honest = gevent.spawn(ask, batcher, range(6), "honest", length=10)
    gate.pass_when_queued(batcher, 15)
    greedy.get()
    honest.get()
    assert [row < 10 for (row,) in gate.batches[1:9]] == [True] * 4 + [False, True, True, False]


@in_the_loop
def test_runs_are_short_while_others_may_come_and_a_client_has_a_backlog(gate: Gate) -> None:
    batcher = Batcher(gate.run, max_queue_tokens=10_000, limits=FOUR_ROWS)
    first = gevent.spawn(ask, batcher, [0], "honest")
    wait_until(gate.entered.is_set)
    greedy = gevent.spawn(ask, batcher, range(10, 70), "greedy")
    wait_until(lambda: len(batcher._queue) == 60)
    measured(batcher, 2500)  # 25 tokens in 10 ms
    gate.open.set()
    greedy.get()
    first.get()
    sizes = [len(batch) for batch in gate.batches[1:]]
    assert sizes[:5] == [2] * 5  # the backlog is over 400 tokens
    assert sizes[-5:] == [4] * 5  # what is left is no backlog


@in_the_loop
def test_one_client_alone_has_batches_as_large_as_the_limits_allow(gate: Gate) -> None:
    batcher = Batcher(gate.run, max_queue_tokens=10_000, limits=FOUR_ROWS)
    measured(batcher, 2500)
    gate.open.set()
    assert len(ask(batcher, range(10, 70), "greedy")) == 60
    assert [len(batch) for batch in gate.batches] == [4] * 15


def admit(batcher: Batcher[int, int], room: contextlib.ExitStack, num_tokens: int, client: str) -> None:
    room.enter_context(batcher.admitted(num_tokens, client))


def test_only_the_greedy_client_is_refused_and_told_of_its_own_backlog(gate: Gate) -> None:
    batcher = Batcher(gate.run, max_queue_tokens=1_000_000, client_share=0.5)
    measured(batcher, 100_000)
    with contextlib.ExitStack() as room:
        for _ in range(25):
            admit(batcher, room, 20_000, "greedy")
        with pytest.raises(OverloadedError) as caught:
            admit(batcher, room, 20_000, "greedy")
        assert "500000 tokens of this client are waiting" in caught.value.detail
        assert "--client-share" in caught.value.detail
        assert caught.value.retry_after_s == 5
        for _ in range(20):
            admit(batcher, room, 100, "honest")
        with pytest.raises(OverloadedError) as caught:
            admit(batcher, room, 20_000, "greedy")
        assert caught.value.retry_after_s == 6  # 502,000 tokens, most of them its own
        assert batcher.pending_tokens == 502_000
    assert batcher.pending_tokens == 0


def test_a_full_queue_is_named_as_such_to_a_client_within_its_share(gate: Gate) -> None:
    batcher = Batcher(gate.run, max_queue_tokens=1000, client_share=0.5)
    with contextlib.ExitStack() as room:
        admit(batcher, room, 1000, "greedy")
        with pytest.raises(OverloadedError, match=r"1000 tokens are waiting .* limit of 1000 \(max_queue_tokens\)\.$"):
            admit(batcher, room, 1, "honest")


def test_a_request_as_large_as_the_queue_is_taken_beside_a_greedy_client(gate: Gate) -> None:
    batcher = Batcher(gate.run, max_queue_tokens=1000, client_share=0.5)
    with contextlib.ExitStack() as room:
        with contextlib.suppress(OverloadedError):
            while True:
                admit(batcher, room, 50, "greedy")
        admit(batcher, room, 1000, "honest")
        assert batcher.pending_tokens == 1500
        with pytest.raises(OverloadedError):
            admit(batcher, room, 1000, "another")


class Parts(PartialRun[int]):
    """Doubles each row once it has had as many parts as the row says; each part costs a row 10 tokens."""

    def __init__(self, rows: list[int], log: list[list[int]], before: Callable[[], None]) -> None:
        self.rows, self.log, self.before = rows, log, before
        self.left = list(rows)

    def advance(self, until: float) -> list[float]:
        self.before()
        running = [place for place, left in enumerate(self.left) if left > 0]
        self.log.append([self.rows[place] for place in running])
        for place in running:
            self.left[place] -= 1
            if self.rows[place] == 13:
                raise RuntimeError("no such row")
        return [10.0 * (place in running) for place in range(len(self.rows))]

    def result(self, row: int) -> int | None:
        return None if self.left[row] > 0 else 2 * self.rows[row]

    def give_up(self, row: int) -> None:
        self.left[row] = 0


class PartGate(Gate):
    """A run in parts, each of which waits until it is let through."""

    def begin(self, rows: list[int]) -> Parts:
        return Parts(rows, self.batches, self.enter)

    def enter(self) -> None:
        self.entered.set()
        assert self.open.wait(FAR)

    def batcher(self, **given: object) -> Batcher[int, int]:
        return Batcher(self.begin, max_queue_tokens=10_000, **given)  # type: ignore[arg-type]


@pytest.fixture
def parts() -> PartGate:
    return PartGate()


@in_the_loop
def test_a_run_in_parts_gives_each_row_its_result(parts: PartGate) -> None:
    parts.open.set()
    assert ask(parts.batcher(), [3, 1, 2], "one") == [6, 2, 4]
    assert parts.batches == [[3, 1, 2], [3, 2], [3]]


@in_the_loop
def test_rows_of_another_client_get_their_turn_between_two_parts(parts: PartGate) -> None:
    batcher = parts.batcher()
    long = gevent.spawn(ask, batcher, [50, 40], "greedy")
    wait_until(parts.entered.is_set)
    short = gevent.spawn(ask, batcher, [3], "honest")
    parts.pass_when_queued(batcher, 1)
    assert short.get() == [6]
    assert long.get() == [100, 80]
    assert parts.batches[:6] == [[50, 40], [3], [3], [50, 40], [3], [50, 40]]  # of 20 tokens, and of 10


@in_the_loop
def test_batches_whose_runs_are_made_in_parts_are_as_large_as_the_limits_allow(parts: PartGate) -> None:
    batcher = parts.batcher(limits=FOUR_ROWS)
    first = gevent.spawn(ask, batcher, [1], "honest")
    wait_until(parts.entered.is_set)
    greedy = gevent.spawn(ask, batcher, [1] * 60, "greedy")
    wait_until(lambda: len(batcher._queue) == 60)
    measured(batcher, 2500)
    parts.open.set()
    assert first.get() == [2]
    assert len(greedy.get()) == 60
    assert [len(batch) for batch in parts.batches] == [1] + [4] * 15


@in_the_loop
def test_a_row_has_its_result_before_longer_ones_of_its_batch(parts: PartGate) -> None:
    parts.open.set()
    answered: list[int] = []
    batcher = parts.batcher()
    gevent.joinall([gevent.spawn(lambda row=row: answered.extend(ask(batcher, [row], "one"))) for row in (60, 2)])
    assert answered == [4, 120]
    assert sorted(parts.batches[1]) == [2, 60]
    assert len(parts.batches) == 60


@in_the_loop
def test_a_row_whose_deadline_passes_between_parts_is_given_up(parts: PartGate) -> None:
    batcher = parts.batcher()
    late = gevent.spawn(ask, batcher, [1_000_000], "one", deadline_s=0.05)
    wait_until(parts.entered.is_set)
    with pytest.raises(DeadlineExceededError):
        late.get()
    parts.open.set()
    assert ask(batcher, [2], "one") == [4]
    assert parts.batches == [[1_000_000], [2], [2]]


@in_the_loop
def test_a_row_whose_client_has_left_is_given_up(parts: PartGate) -> None:
    gone = threading.Event()
    parts.open.set()
    batcher = parts.batcher()
    cancellation = Cancellation(time.monotonic() + FAR, has_left=gone.is_set)

    def enter() -> None:
        time.sleep(0.06)
        gone.set()

    parts.enter = enter  # type: ignore[method-assign]
    with pytest.raises(ClientLeftError):
        batcher.submit([1_000_000], [10], cancellation=cancellation)
    assert len(parts.batches) == 1


@in_the_loop
def test_a_part_that_fails_fails_the_rows_of_its_batch_and_no_others(parts: PartGate) -> None:
    batcher = parts.batcher()
    failing = gevent.spawn(ask, batcher, [13, 1], "one")
    wait_until(parts.entered.is_set)
    other = gevent.spawn(ask, batcher, [2], "two")
    parts.pass_when_queued(batcher, 1)
    with pytest.raises(InternalError):
        failing.get()
    assert other.get() == [4]


@in_the_loop
def test_a_run_in_parts_is_counted_once_and_measured_by_what_it_cost(parts: PartGate) -> None:
    parts.open.set()
    batcher = parts.batcher()
    counted: list[tuple[int, ...]] = []
    batcher.report = lambda *sizes: counted.append(sizes)
    ask(batcher, [3, 2], "one", length=7)
    assert counted == [(2, 14, 14)]
    assert 40 < batcher._recent_tokens <= 50
    assert batcher.running_since is None
