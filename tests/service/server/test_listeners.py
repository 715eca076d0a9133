"""Addresses that are bound before the models are checked."""

import os
import re
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from seqserve.service.server.listeners import ListenError, Listeners
from seqserve.service.settings import Settings


@contextmanager
def taken() -> Iterator[int]:
    """A port at which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


@contextmanager
def handed_over(settings: Settings) -> Iterator[list[socket.socket]]:
    """The sockets that gunicorn gets."""
    with closing(Listeners(settings)) as listeners:
        sockets = [socket.socket(fileno=int(each.removeprefix("fd://"))) for each in listeners.hand_over()]
    try:
        yield sockets
    finally:
        for each in sockets:
            each.close()


def test_connections_are_refused_until_the_sockets_are_handed_over(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with closing(Listeners(Settings(host=f"unix:{path}"))) as listeners, socket.socket(socket.AF_UNIX) as client:
        with pytest.raises(ConnectionRefusedError):
            client.connect(path)
        (handed,) = listeners.hand_over()
        client.connect(path)
    os.close(int(handed.removeprefix("fd://")))


def test_requests_come_before_probes() -> None:
    with handed_over(Settings(port=0, ops_port=0)) as (service, ops):
        assert service.getsockname() != ops.getsockname()
        assert {each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) for each in (service, ops)} == {1}
        assert {each.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) for each in (service, ops)} == {1}


def test_a_port_in_use_is_refused() -> None:
    with taken() as port, pytest.raises(ListenError) as caught:
        Listeners(Settings(port=port))
    assert str(caught.value) == (
        f"The server cannot listen at port {port} of 127.0.0.1: it is in use by another program."
    )


def test_a_port_of_probes_in_use_is_refused_and_the_other_given_back(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with taken() as port, pytest.raises(ListenError, match=f"port {port} of 127.0.0.1: it is in use"):
        Listeners(Settings(host=f"unix:{path}", ops_port=port))
    assert not path.exists()


@pytest.mark.parametrize("host", ["203.0.113.1", "no-such-host.invalid"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(ListenError, match=rf"\AThe server cannot listen at port 0 of {re.escape(host)}: [^\n]+\.\Z"):
        Listeners(Settings(host=host, port=0))


def test_of_two_servers_that_start_at_once_one_is_refused() -> None:
    with closing(Listeners(Settings(port=0))) as first:
        port = first._sockets[0][1].getsockname()[1]
        with closing(Listeners(Settings(port=port))) as second:
            (handed,) = first.hand_over()
            with pytest.raises(ListenError, match="in use by another program"):
                second.hand_over()
            os.close(int(handed.removeprefix("fd://")))


def test_a_socket_file_that_another_server_listens_at_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(ListenError, match=rf"unix:{path}: it is in use by another program\.\Z"):
            Listeners(Settings(host=f"unix:{path}"))
        assert path.exists()


def test_a_socket_file_that_was_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
    with handed_over(Settings(host=f"unix:{path}")), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        assert path.stat().st_mode & 0o777 == 0o777


def test_a_socket_file_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListenError, match=r"No such file or directory\.\Z"):
        Listeners(Settings(host=f"unix:{tmp_path}/none/socket"))


def test_sockets_of_systemd_are_left_to_gunicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    with taken() as port:
        assert Listeners(Settings(port=port)).hand_over() == []
