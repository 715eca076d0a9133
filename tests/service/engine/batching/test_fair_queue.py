"""The order of rows: clients have equal shares, a client's requests are served as shares would end them."""

import math
import time
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.partial_run import PartialRun
from seqserve.service.engine.batching import fair_queue
from seqserve.service.engine.batching.fair_queue import CROWDED_S, FairQueue
from seqserve.service.engine.batching.ticket import Batch, Ticket
from seqserve.service.engine.cancellation import Cancellation

LEAST = 100
STEP = 50
SMALL = st.integers(1, LEAST)
ANY = st.integers(1, 20 * LEAST)

Queue = FairQueue[str, str]


def ticket(client: str, *lengths: int, name: str = "", deadline: float = math.inf) -> Ticket[str, str]:
    return Ticket([name or client] * len(lengths), lengths, Cancellation(deadline, client=client))


def queue_of(*tickets: Ticket[str, str]) -> Queue:
    queue: Queue = FairQueue(LEAST)
    for each in tickets:
        queue.add(each, 0.0)
    return queue


def front(queue: Queue, size: int = 256) -> list[tuple[Ticket[str, str], int]]:
    return queue.front(size, time.monotonic())


def run(queue: Queue, entries: list[tuple[Ticket[str, str], int]]) -> None:
    """Take rows, and charge what they cost."""
    batch = Batch(entries, [each.lengths[row] for each, row in entries])
    queue.take(batch)
    queue.charge(batch)


def charge(queue: Queue, **costs: float) -> None:
    """Let clients pay for rows that were taken before."""
    queue.charge(Batch([(ticket(client, 1), 0) for client in costs], list(costs.values())))


def served(queue: Queue, *, num_rows: int = 1) -> Iterator[list[str]]:
    """Take `num_rows` rows at a time from the front until none is left, and yield whose they were."""
    while window := front(queue)[:num_rows]:
        run(queue, window)
        yield [each.rows[row] for each, row in window]


def names(queue: Queue, count: int) -> list[str]:
    return [name for _, (name,) in zip(range(count), served(queue), strict=False)]


class Endless(PartialRun[str]):
    """A run that never has a result."""

    def advance(self, until: float) -> list[float]:
        return []

    def result(self, row: int) -> None:
        return None

    def give_up(self, row: int) -> None:
        pass


def test_clients_with_work_get_as_many_tokens() -> None:
    queue = queue_of(ticket("greedy", *[10] * 400), ticket("other", *[40] * 100))
    first = names(queue, 100)
    assert first.count("greedy") * 10 == pytest.approx(first.count("other") * 40, abs=40)


def test_a_client_comes_next_whatever_the_backlog_of_another() -> None:
    queue = queue_of(*(ticket("greedy", *[100] * 50) for _ in range(20)))
    assert names(queue, 30) == ["greedy"] * 30
    queue.add(ticket("honest", 20), 0.0)
    assert "honest" in names(queue, 2)


def test_a_pause_saves_up_no_credit() -> None:
    queue = queue_of(ticket("greedy", *[10] * 1000), ticket("idle", 10))
    names(queue, 500)
    queue.add(ticket("idle", *[10] * 1000), 0.0)
    assert 19 <= names(queue, 40).count("idle") <= 21


def test_a_client_that_was_given_more_waits_until_others_have_had_as_much() -> None:
    queue = queue_of(ticket("ahead", *[100] * 9), ticket("behind", *[100] * 9))
    assert names(queue, 2) == ["ahead", "behind"]
    charge(queue, ahead=300)
    assert names(queue, 4) == ["behind"] * 3 + ["ahead"]


def test_company_is_charged_for_its_own_tokens() -> None:
    queue = queue_of(ticket("one", *[10] * 9), ticket("two", *[30] * 9))
    window = front(queue)
    company = [window[0], *[each for each in window if each[0].cancellation.client == "two"][:2]]
    run(queue, company)
    assert names(queue, 6) == ["one"] * 5 + ["two"]  # 10 against 60, then 60 each


def test_the_front_begins_with_the_turn_and_holds_rows_of_all_clients() -> None:
    queue = queue_of(ticket("book", *[5] * 5000), *(ticket(f"client {number}", 5) for number in range(9)))
    window = front(queue, 20)
    assert {each.cancellation.client for each, _ in window} == {"book", *(f"client {number}" for number in range(9))}
    assert window[0][0].cancellation.client == "book"
    assert len(window) <= 20
    assert len(front(queue, 3)) == 3
    assert len(front(queue_of(ticket("book", *[5] * 5000)), 20)) == 20


def test_rows_that_are_over_are_dropped_and_those_behind_them_are_seen() -> None:
    past = time.monotonic() - 1
    queue = queue_of(ticket("left", 10, 10, deadline=past), ticket("here", 10), ticket("here", 10, deadline=past))
    assert [each.cancellation.client for each, _ in front(queue)] == ["here"]
    assert len(queue) == 1
    assert list(served(queue)) == [["here"]]


def test_what_is_dropped_leaves_nothing_behind() -> None:
    gone, taken = ticket("one", 10, 10, 10), ticket("one", 10)
    queue = queue_of(gone, taken)
    queue.drop(gone)
    queue.drop(gone)
    assert list(served(queue)) == [["one"]]
    queue.drop(taken)
    assert len(queue) == 0
    assert not front(queue)


def test_clients_without_work_are_forgotten() -> None:
    queue: Queue = FairQueue(LEAST)
    for number in range(5000):
        queue.add(ticket(f"client {number}", 10), 0.0)
        list(served(queue))
    assert len(queue._flows) <= 2 * fair_queue._MIN_FLOWS


def test_one_client_alone_is_no_crowd_and_two_are_while_one_has_a_backlog() -> None:
    queue: Queue = FairQueue(LEAST)
    queue.add(ticket("greedy", *[100] * 9), 1.0)
    assert not queue.is_crowded(1.0, 500)
    queue.add(ticket("honest", 10), 2.0)
    assert queue.is_crowded(2.0, 500)
    assert not queue.is_crowded(2.0, 900)
    assert not queue.is_crowded(2.0 + CROWDED_S, 500)
    queue.add(ticket("greedy", 10), 2.5)
    assert queue.is_crowded(2.5 + CROWDED_S / 2, 500)
    list(served(queue))
    assert not queue.is_crowded(2.5, 500)


def begun(queue: Queue, *names: str) -> Batch[str, str]:
    """Take the next rows of the named clients, as a batch whose run has begun."""
    window = front(queue)
    entries = [next(entry for entry in window if entry[0].cancellation.client == name) for name in names]
    batch = Batch(entries, [each.lengths[row] for each, row in entries], Endless(), range(len(entries)))
    queue.take(batch)
    return batch


def test_a_batch_that_has_begun_goes_on_before_later_requests_of_its_client() -> None:
    queue = queue_of(ticket("one", 10, name="first"), ticket("one", 10, name="second"))
    batch = begun(queue, "one")
    assert queue.take_started() is None
    queue.put_back(batch)
    assert queue.take_started() is batch
    assert queue.take_started() is None
    assert names(queue, 1) == ["second"]


def test_a_large_batch_that_has_begun_lets_small_requests_of_its_client_pass() -> None:
    queue = queue_of(ticket("one", 50 * LEAST, name="book"))
    batch = begun(queue, "one")
    queue.put_back(batch)
    queue.add(ticket("one", 10, name="sentence"), 0.0)
    assert queue.take_started() is None
    assert names(queue, 1) == ["sentence"]
    assert queue.take_started() is batch


def test_a_batch_that_has_begun_takes_turns_with_other_clients() -> None:
    queue = queue_of(ticket("greedy", 100), ticket("honest", *[10] * 9))
    batch, order = begun(queue, "greedy"), []
    charge(queue, greedy=100)
    queue.put_back(batch)
    while len(order) < 12:
        if (again := queue.take_started()) is not None:
            order.append("part")
            queue.put_back(again)
            charge(queue, greedy=30)
        else:
            order += names(queue, 1)
    assert order == ["honest"] * 9 + ["part"] * 3


def test_a_batch_goes_on_when_the_turn_is_that_of_any_client_in_it() -> None:
    queue = queue_of(ticket("greedy", *[100] * 9), ticket("honest", 10))
    batch = begun(queue, "greedy", "honest")
    queue.put_back(batch)
    assert queue.take_started() is batch  # honest has been given less
    queue.put_back(batch)
    charge(queue, greedy=1000, honest=5)
    assert queue.take_started() is batch


def test_turns_of_two_started_batches_of_one_client_are_those_of_their_requests() -> None:
    queue = queue_of(ticket("one", 30 * LEAST), ticket("one", 5 * LEAST))
    short, long = begun(queue, "one"), begun(queue, "one")
    for batch in (long, short):
        queue.put_back(batch)
    assert [queue.take_started() for _ in range(2)] == [short, long]


# Within one client.


def serve(arrivals: list[tuple[int, int]]) -> list[int]:
    """Run requests of (tokens, arrival) of one client in steps of up to STEP tokens; return when each ends."""
    queue: Queue = FairQueue(LEAST)
    now, ends = 0, [0] * len(arrivals)
    to_come = sorted(range(len(arrivals)), key=lambda index: arrivals[index][1])
    while to_come or len(queue):
        if not len(queue):
            now = max(now, arrivals[to_come[0]][1])
        while to_come and arrivals[to_come[0]][1] <= now:
            index = to_come.pop(0)
            queue.add(ticket("one", *steps_of(arrivals[index][0]), name=str(index)), 0.0)
        entry, *_ = front(queue)
        length = entry[0].lengths[entry[1]]
        run(queue, [entry])
        now += length
        ends[int(entry[0].rows[0])] = now
    return ends


def steps_of(num_tokens: int) -> Iterable[int]:
    return [STEP] * (num_tokens // STEP) + [num_tokens % STEP] * bool(num_tokens % STEP)


def shared(arrivals: list[tuple[int, int]]) -> list[float]:
    """When each request would end if all that are there were given as much at every moment."""
    left = {index: float(num_tokens) for index, (num_tokens, _) in enumerate(arrivals)}
    ends, now = [0.0] * len(arrivals), 0.0
    while left:
        here = [index for index in left if arrivals[index][1] <= now]
        coming = [arrivals[index][1] - now for index in left if arrivals[index][1] > now]
        if not here:
            now += min(coming)
            continue
        each = min(min(left[index] for index in here), *(gap / len(here) for gap in coming), float("inf"))
        now += each * len(here)
        for index in here:
            left[index] -= each
            if left[index] < 1e-6:
                del left[index]
                ends[index] = now
    return ends


@given(st.lists(SMALL, min_size=1, max_size=20))
def test_small_requests_are_served_in_the_order_in_which_they_come(sizes: list[int]) -> None:
    queue = queue_of(*(ticket("one", size, name=str(number)) for number, size in enumerate(sizes)))
    assert names(queue, len(sizes)) == [str(number) for number in range(len(sizes))]


@given(st.lists(st.tuples(ANY, st.integers(0, 3000)), min_size=1, max_size=12))
def test_none_ends_much_later_than_with_equal_shares(arrivals: list[tuple[int, int]]) -> None:
    # Small ones count as LEAST: each of the others may be ahead by that much, and by a step that had begun.
    allowed = len(arrivals) * (LEAST + STEP)
    assert all(seen <= fair + allowed for seen, fair in zip(serve(arrivals), shared(arrivals), strict=True))


@given(ANY, ANY)
def test_of_two_that_come_together_the_shorter_ends_as_if_it_were_alone(one: int, other: int) -> None:
    ends = serve([(one, 0), (other, 0)])
    if max(one, other) > LEAST:
        assert min(ends) == min(one, other)
    assert max(ends) == one + other


def test_a_sentence_passes_a_book_and_many_sentences_do_not_pass_it_for_ever() -> None:
    queue = queue_of(ticket("one", *[LEAST] * 10, name="book"))
    seen = []
    for _ in range(200):
        queue.add(ticket("one", LEAST, name="sentence"), 0.0)
        seen += names(queue, 1)
    assert seen[0] == "sentence"
    assert "book" in seen
