"""Waiting for clients that were just answered: until they are back, and rarely while they do not come back."""

import time

import gevent

from seqserve.service.engine.batching.anticipation import WAIT_S, Anticipation
from tests.service.engine.test_event_loop import in_a_loop


def test_it_waits_until_the_answered_are_back() -> None:
    def inside() -> int:
        queue = [1, 2]

        def come_back() -> None:
            for each in (3, 4):
                gevent.sleep(0)
                queue.append(each)

        gevent.spawn(come_back)
        Anticipation().wait(queue, 2, 16)
        return len(queue)

    assert in_a_loop(inside) == 4


def test_no_more_rows_are_waited_for_than_a_batch_takes() -> None:
    def inside() -> int:
        queue = [1, 2]
        for each in range(3):
            gevent.spawn(queue.append, each)
        Anticipation().wait(queue, 3, 2)
        return len(queue)

    assert in_a_loop(inside) == 2


def test_nothing_is_waited_for_where_nothing_waits() -> None:
    def inside() -> int:
        queue: list[int] = []
        gevent.spawn(queue.append, 1)
        Anticipation().wait(queue, 4, 16)
        return len(queue)

    assert in_a_loop(inside) == 0


def test_where_clients_do_not_come_back_it_is_tried_rarely() -> None:
    def inside() -> int:
        anticipation, num_waits = Anticipation(), 0
        for _ in range(200):
            started_at = time.monotonic()
            anticipation.wait([1], 4, 16)
            num_waits += time.monotonic() - started_at >= WAIT_S
        return num_waits

    assert in_a_loop(inside) <= 10
