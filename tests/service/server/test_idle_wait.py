"""The wait for a request: what is refused, who is hurried, and that no byte of either is lost."""

import socket
import time
from collections.abc import Callable

import gevent
import pytest
from gevent import socket as gevent_socket

from service.server.idle_wait import Arrival
from tests.service.test_waiting import in_a_loop

FAR = 60.0
NO, LONG_NO = b"no", b"no, and " * 200_000


def turn_away(data: bytes, arrived_at: float) -> bytes:
    """Refuse what says so."""
    assert time.monotonic() - arrived_at < FAR
    return {b"refuse me": NO, b"refuse at length": LONG_NO}.get(data, b"")


def meet(work: Callable[[Arrival, socket.socket], object]) -> None:
    """Run `work` in a loop, with an arrival at one end of a connection and a client that may block at the other."""

    def inside() -> None:
        here, there = gevent_socket.socketpair()
        arrival = Arrival(here, turn_away)
        try:
            work(arrival, there)
        finally:
            arrival.close()
            here.close()
            there.close()

    in_a_loop(inside)


def read(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := client.recv(size - len(data))):
        data += piece
    return data


def test_what_comes_is_returned_with_the_time_at_which_it_came() -> None:
    def work(arrival: Arrival, client: socket.socket) -> None:
        waits = gevent.spawn(arrival.wait)
        gevent.sleep(0.01)
        sent_at = time.monotonic()
        client.sendall(b"a request")
        assert waits.get(timeout=FAR) == b"a request"
        assert sent_at <= arrival.at <= time.monotonic()

    meet(work)


def test_a_refused_client_is_told_so_and_waited_for() -> None:
    def work(arrival: Arrival, client: socket.socket) -> None:
        waits = gevent.spawn(arrival.wait)
        for _ in range(3):
            client.sendall(b"refuse me")
            assert read(client, len(NO)) == NO
            assert not waits.dead
        client.sendall(b"a request")
        assert waits.get(timeout=FAR) == b"a request"

    meet(work)


def test_a_refusal_that_does_not_fit_is_sent_as_it_is_read() -> None:
    def work(arrival: Arrival, client: socket.socket) -> None:
        waits = gevent.spawn(arrival.wait)
        client.sendall(b"refuse at length")
        gevent.sleep(0.01)
        assert not arrival.is_idle(0.0)
        assert read(client, len(LONG_NO)) == LONG_NO
        client.sendall(b"a request")
        assert waits.get(timeout=FAR) == b"a request"

    meet(work)


def test_a_refused_client_that_leaves_ends_the_wait() -> None:
    def work(arrival: Arrival, client: socket.socket) -> None:
        waits = gevent.spawn(arrival.wait)
        client.sendall(b"refuse at length")
        gevent.sleep(0.01)
        client.close()
        with pytest.raises(OSError, match=r"pipe|reset"):
            waits.get(timeout=FAR)

    meet(work)


@pytest.mark.parametrize("said", [b"", b"a request"])
def test_a_hurried_wait_ends_with_what_has_come(said: bytes) -> None:
    def work(arrival: Arrival, client: socket.socket) -> None:
        arrival.hurry()  # nobody waits yet: nothing to end
        waits = gevent.spawn(arrival.wait)
        gevent.sleep(0.01)
        assert not waits.dead
        sent_at = time.monotonic()
        if said:
            client.sendall(said)
        arrival.hurry()
        arrival.hurry()
        assert waits.get(timeout=FAR) == said
        assert not said or arrival.at >= sent_at

    meet(work)


def test_a_client_that_has_left_ends_the_wait() -> None:
    def work(arrival: Arrival, client: socket.socket) -> None:
        waits = gevent.spawn(arrival.wait)
        gevent.sleep(0.01)
        client.close()
        assert waits.get(timeout=FAR) == b""

    meet(work)


def test_it_is_idle_from_the_last_byte_on_while_it_waits() -> None:
    def work(arrival: Arrival, client: socket.socket) -> None:
        assert not arrival.is_idle(0.0)
        waits = gevent.spawn(arrival.wait)
        gevent.sleep(0.05)
        assert arrival.is_idle(0.05)
        assert not arrival.is_idle(FAR)
        client.sendall(b"refuse me")
        assert read(client, len(NO)) == NO
        assert not arrival.is_idle(0.05)
        client.sendall(b"a request")
        waits.get(timeout=FAR)
        assert not arrival.is_idle(0.0)

    meet(work)
