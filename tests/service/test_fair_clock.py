"""The order of requests: small ones as they come, large ones no later than with equal shares."""

from hypothesis import given
from hypothesis import strategies as st

from service.engine.fair_clock import FairClock, Turn

LEAST = 100
SMALL = st.integers(1, LEAST)
ANY = st.integers(1, 20 * LEAST)
STEP = 50


def serve(arrivals: list[tuple[int, int]]) -> list[int]:
    """Run requests of (tokens, arrival) in steps of up to STEP tokens of one request; return when each ends."""
    clock, now = FairClock(LEAST), 0
    waiting: dict[int, tuple[Turn, int]] = {}
    ends = [0] * len(arrivals)
    to_come = sorted(range(len(arrivals)), key=lambda index: arrivals[index][1])
    while to_come or waiting:
        if not waiting:
            now = max(now, arrivals[to_come[0]][1])
        while to_come and arrivals[to_come[0]][1] <= now:
            index = to_come.pop(0)
            waiting[index] = clock.admit(arrivals[index][0]), arrivals[index][0]
        index = min(waiting, key=lambda each: (waiting[each][0].place, each))
        turn, left = waiting.pop(index)
        taken = min(left, STEP)
        clock.advance(taken)
        now += taken
        if left > taken:
            waiting[index] = turn, left - taken
        ends[index] = now
    return ends


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


@given(st.lists(st.tuples(SMALL, st.integers(0, 300)), min_size=1, max_size=20))
def test_small_requests_are_placed_in_the_order_in_which_they_come(steps: list[tuple[int, int]]) -> None:
    clock, places = FairClock(LEAST), []
    for num_tokens, run in steps:
        places.append(clock.admit(num_tokens).place)
        clock.advance(run)
    assert places == sorted(places)


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
    clock = FairClock(LEAST)
    book = clock.admit(10 * LEAST)
    sentences = []
    for _ in range(200):
        sentences.append(clock.admit(LEAST))
        clock.advance(LEAST)
    assert sentences[0].place < book.place < sentences[-1].place


def test_what_is_forgotten_takes_no_share_from_then_on() -> None:
    clock = FairClock(LEAST)
    forgotten, kept = clock.admit(1000), clock.admit(1000)
    clock.advance(200)
    assert clock.admit(LEAST).place == 100 + LEAST
    clock.forget(forgotten)
    clock.forget(forgotten._replace(end=5.0))  # it ended long ago: nothing to take out
    clock.advance(200)  # of three then, of two now
    assert clock.admit(1000) == (1200.0, 1200.0)
    assert kept.end == 1000


def test_time_stands_still_while_nothing_waits() -> None:
    clock = FairClock(LEAST)
    clock.admit(70)
    clock.advance(500)
    assert clock.admit(10) == (70 + LEAST, 80)
