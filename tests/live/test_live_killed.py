"""kill -9 of workers under load: nobody loses anything but what was inside, and no answer is wrong."""

import http.client
import os
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack, closing

import pytest

from benchmarks.faults.clients import Clients, reasons, tally, wait_until
from benchmarks.faults.connection import Outcome
from benchmarks.faults.connection_owners import Death, client_ports, kill_worker
from benchmarks.faults.kill import split
from benchmarks.faults.known_answers import Draft, ask_alone
from tests.live.problems import FINE
from tests.live.sampling import TOYS, sample, streaming
from tests.live.served import Served

FAR_S = 60.0
DRAFTS: list[Draft] = [
    ("/v1/tag", FINE),
    ("/v1/tag", {"text": ["Harry Potter came.", "a"], "include": ["tokens"]}),
    ("/v1/score", {"model": "tiny-char-lm", "text": "ab", "include": ["tokens"]}),
    ("/v1/sample", {"model": "tiny-char-lm", "seed": 3, "max_tokens": 20}),
    ("/v1/classify", {"text": "where have you been"}),
]


@pytest.fixture(scope="module")
def pair(serve_module: Callable[..., Served]) -> Served:
    """A server of two workers; each test waits until a killed one is replaced."""
    return serve_module("--workers", "2")


def test_only_what_was_inside_a_killed_worker_is_lost(pair: Served) -> None:
    known_answers = ask_alone(pair.port, DRAFTS)
    deaths: list[Death] = []
    with Clients(pair.port, known_answers, 8) as clients:
        for _ in range(3):
            before = clients.count()
            assert wait_until(lambda before=before: clients.count() > before + 40, FAR_S), pair.log  # type: ignore[misc]
            deaths.append(kill_worker(pair.workers[0], pair.port))
            assert wait_until(lambda: len(pair.workers) == 2 and deaths[-1].process_id not in pair.workers, FAR_S)
        before = clients.count()
        assert wait_until(lambda: clients.count() > before + 40, FAR_S), pair.log
    inside, outside = split(clients.asked, deaths)
    assert not outside, reasons(outside)
    assert len(inside) <= 8 * len(deaths)
    found = tally(clients.asked)
    assert found[Outcome.WRONG] == 0
    assert found[Outcome.RIGHT] >= 120


def test_a_server_whose_workers_all_die_comes_back(pair: Served) -> None:
    alone, workers = pair.post(FINE), pair.workers
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    assert pair.post(FINE).body == alone.body  # the kernel keeps the connection until a worker can answer it
    assert wait_until(lambda: len(set(pair.workers) - set(workers)) == 2, FAR_S)


def test_a_stream_of_another_worker_goes_on(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "2", script=TOYS)
    body = {"model": "toy-slow", "seed": 1, "max_tokens": 30}
    whole = sample(server, body).json()["samples"][0]["text"]
    with streaming(server, **body) as answer:
        assert answer.readline().startswith(b"data: ")
        holders = [worker for worker in server.workers if client_ports(worker, server.port)]
        (bystander,) = set(server.workers) - set(holders)
        os.kill(bystander, signal.SIGKILL)
        rest = answer.read()
    assert rest.endswith(b"data: [DONE]\n\n")
    assert wait_until(lambda: len(server.workers) == 2, FAR_S)
    assert sample(server, body).json()["samples"][0]["text"] == whole


def test_clients_move_to_a_worker_that_has_come_back(pair: Served) -> None:

    def held() -> dict[int, set[int]]:
        return {worker: set(client_ports(worker, pair.port)) for worker in pair.workers}

    with ExitStack() as stack:
        clients = [
            stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", pair.port, timeout=FAR_S)))
            for _ in range(24)
        ]
        for client in clients:
            client.connect()
        assert wait_until(lambda: sum(map(len, held().values())) == len(clients), FAR_S)
        before = held()
        victim = min(before, key=lambda worker: len(before[worker]))
        rest = [client for client in clients if client.sock.getsockname()[1] not in before[victim]]
        assert len(rest) >= 12
        os.kill(victim, signal.SIGKILL)
        assert wait_until(lambda: len(set(pair.workers) - {victim}) == 2, FAR_S)
        (newcomer,) = set(pair.workers) - set(before)

        def has_moved() -> bool:
            for client in rest:
                client.request("GET", "/v1/models")  # on another connection when the last answer closed its own
                with client.getresponse() as answer:
                    assert answer.status == 200
                    answer.read()
            return len(held()[newcomer]) >= len(rest) // 4

        assert wait_until(has_moved, FAR_S)


def test_connections_of_a_process_are_known_by_their_ports(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--keep-alive-s", "200")
    (worker,) = server.workers
    assert wait_until(lambda: not client_ports(worker, server.port), FAR_S)
    with socket.create_connection(("127.0.0.1", server.port), timeout=FAR_S) as connection:
        ports = {connection.getsockname()[1]}
        assert wait_until(lambda: client_ports(worker, server.port) == ports, FAR_S)
