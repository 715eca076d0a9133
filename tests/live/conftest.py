"""Servers that are stopped, and checked to have ended well, after the test or module that asked for them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.served import Served, start


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with default settings and two workers, shared by the tests of a module, which may name its SCRIPT."""
    script = getattr(request.module, "SCRIPT", ("-m", "service"))
    served = start(tmp_path_factory.mktemp("server") / "log", "--workers", "2", "--drain-s", "0", script=script)
    try:
        served.wait_until_ready()
        yield served
    finally:
        status = served.stop()
    assert status == 0, served.log


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start a server with flags and environment variables of one's own."""
    started: list[Served] = []

    def run(*flags: str, **given: object) -> Served:
        served = start(tmp_path / f"log{len(started)}", "--drain-s", "0", *flags, **given)  # type: ignore[arg-type]
        started.append(served)
        served.wait_until_ready()
        return served

    yield run
    for served in started:
        if served.process.poll() is None:
            assert served.stop() == 0, served.log


@pytest.fixture(autouse=True)
def goes_on_with_the_same_workers(request: pytest.FixtureRequest) -> Iterator[None]:
    """After whatever a test has sent, the next request is answered and no worker was replaced."""
    if "server" not in request.fixturenames:
        yield
        return
    server: Served = request.getfixturevalue("server")
    workers = server.workers
    yield
    assert all(server.post({"text": "Teddy Roosevelt came."}).status == 200 for _ in range(4))
    assert server.workers == workers
