"""A small request of one client beside the run of another that has a backlog."""

import threading

import gevent

from seqserve.service.engine.batching.batcher import Batcher
from tests.service.engine.batching.test_batcher import FAR
from tests.service.engine.batching.test_batcher_clients import FOUR_ROWS, ask, measured
from tests.service.engine.test_event_loop import in_a_loop


def test_a_small_request_overtakes_a_long_row_of_a_client_with_a_backlog() -> None:
    """The row cannot be cut, and is being run; no other request runs beside it, nor one of its own client."""
    started, release = threading.Event(), threading.Event()
    order: list[int] = []

    def run(rows: list[int]) -> list[int]:
        if rows == [0]:
            started.set()
            assert release.wait(FAR)
        order.append(rows[0])
        return [2 * row for row in rows]

    def inside() -> tuple[list[int], list[int]]:
        batcher = Batcher(run, max_queue_tokens=100_000, limits=FOUR_ROWS)
        measured(batcher, 10_000)
        ask(batcher, [99], "honest")
        greedy = gevent.spawn(ask, batcher, [0, 1, 2], "greedy", length=300)
        while not started.is_set():
            gevent.sleep(0.001)
        own = gevent.spawn(ask, batcher, [8], "greedy")
        honest = ask(batcher, [7], "honest")
        seen = list(order)
        release.set()
        gevent.joinall([greedy, own])
        return honest, seen

    honest, seen = in_a_loop(inside)
    assert honest == [14]
    assert seen == [99, 7]
    assert sorted(order) == [0, 1, 2, 7, 8, 99]
