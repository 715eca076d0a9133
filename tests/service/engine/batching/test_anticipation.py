"""Waiting for clients that were just answered: until they are back, and rarely while they do not come back."""

import gevent
import pytest

from seqserve.service.engine.batching import anticipation
from seqserve.service.engine.batching.anticipation import Anticipation
from tests.service.engine.test_event_loop import in_a_loop


class Watched(list[int]):
    """A queue that counts how often its length is asked for: once without a wait, more often in a wait."""

    num_looks = 0

    def __len__(self) -> int:
        self.num_looks += 1
        return super().__len__()


def test_it_waits_until_the_answered_are_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anticipation, "WAIT_S", 60.0)

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


def test_where_clients_do_not_come_back_it_is_tried_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anticipation, "WAIT_S", 0.0)

    def inside() -> int:
        waits, num_waits = Anticipation(), 0
        for _ in range(200):
            queue = Watched([1])
            waits.wait(queue, 4, 16)
            num_waits += queue.num_looks > 1
        return num_waits

    assert 2 <= in_a_loop(inside) <= 10
