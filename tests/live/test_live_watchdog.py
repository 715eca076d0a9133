"""A graph run that never returns: its worker is ended and replaced, and the others serve meanwhile."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from benchmarks.faults.clients import wait_until
from benchmarks.faults.connection import Asked, Connection, Outcome
from benchmarks.faults.known_answers import KnownAnswer, ask_alone
from benchmarks.faults.stuck_server import FILE_VARIABLE
from tests.live.problems import FINE
from tests.live.served import Served

STUCK = ("-m", "benchmarks.faults.stuck_server")
FAR_S = 60.0


def ask(server: Served, known: KnownAnswer) -> Asked:
    """Ask on a connection of its own."""
    connection = Connection(server.port)
    try:
        return connection.ask(known)
    finally:
        connection.close()


def test_a_worker_whose_run_is_stuck_is_replaced_and_others_serve(serve: Callable[..., Served], tmp_path: Path) -> None:
    file = tmp_path / "stuck.now"
    server = serve("--workers", "2", "--stuck-s", "2", script=STUCK, **{FILE_VARIABLE: str(file)})
    (known,) = ask_alone(server.port, [("/v1/tag", FINE)])
    workers = server.workers
    file.touch()
    held: list[Asked] = []
    victim = threading.Thread(target=lambda: held.append(ask(server, known)))
    victim.start()
    assert wait_until(lambda: not file.exists(), FAR_S)
    assert wait_until(lambda: server.workers != workers, FAR_S), server.log
    victim.join()
    assert held[0].outcome in (Outcome.LOST, Outcome.FAILED, Outcome.REFUSED)  # it was inside
    assert wait_until(lambda: len(server.workers) == 2, FAR_S)
    assert len(set(server.workers) & set(workers)) == 1
    assert "stuck" in server.log
    assert all(ask(server, known).outcome is Outcome.RIGHT for _ in range(8))


def test_another_model_of_the_process_goes_on_while_a_run_is_stuck(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    file = tmp_path / "stuck.now"
    server = serve("--workers", "1", "--stuck-s", "600", script=STUCK, **{FILE_VARIABLE: str(file)})
    tag, score = ask_alone(server.port, [("/v1/tag", FINE), ("/v1/score", {"text": "ab"})])
    (worker,) = server.workers
    file.touch()
    victim = threading.Thread(target=ask, args=(server, tag))
    victim.start()
    try:
        assert wait_until(lambda: not file.exists(), FAR_S)
        assert all(ask(server, score).outcome is Outcome.RIGHT for _ in range(4))
        assert server.get("/healthz").status == 200
        assert server.workers == [worker]
    finally:
        os.kill(worker, signal.SIGKILL)  # its run would hold the server's stop
        victim.join()
    assert ask(server, tag).outcome is Outcome.RIGHT
