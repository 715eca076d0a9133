"""Servers that are stopped, and checked to have ended well, after the test, module or folder that asked for them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.sampling import TOYS
from tests.live.served import Served, start

Serve = Callable[..., Served]


@contextmanager
def serving(folder: Path) -> Iterator[Serve]:
    """Yield a function that starts a server with flags and environment variables of one's own; stop them at the end."""
    started: list[Served] = []

    def run(*flags: str, **given: object) -> Served:
        served = start(folder / f"log{len(started)}", "--drain-s", "0", *flags, **given)  # type: ignore[arg-type]
        started.append(served)
        served.wait_until_ready()
        return served

    try:
        yield run
    finally:
        statuses = [(served.stop(), served) for served in started if served.process.poll() is None]
    for status, served in statuses:
        assert status == 0, served.log


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a server for one test."""
    with serving(tmp_path) as run:
        yield run


@pytest.fixture(scope="module")
def serve_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Start a server in a fixture of a module, for tests that leave it as they found it: a start takes a second."""
    with serving(tmp_path_factory.mktemp("module")) as run:
        yield run


@pytest.fixture(scope="package")
def plain_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with default settings and two workers, for all live tests; it ends before tests of other folders."""
    with serving(tmp_path_factory.mktemp("plain")) as run:
        yield run("--workers", "2")


@pytest.fixture(scope="package")
def toy_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same with toy language models beside the bundles."""
    with serving(tmp_path_factory.mktemp("toys")) as run:
        yield run("--workers", "2", script=TOYS)


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Served:
    """The folder's server that the module names as SERVER, "plain_server" if it names none."""
    name: str = getattr(request.module, "SERVER", "plain_server")
    served: Served = request.getfixturevalue(name)
    return served


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
