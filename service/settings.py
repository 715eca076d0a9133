"""Define every setting of the server: a field is a flag, an environment variable and a line of --help."""

import dataclasses
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqserve.defaults import SHIPPED, read_defaults
from seqserve.errors import UsageError
from seqserve.service.cores import available_cores

PROVIDERS = ("cpu", "cuda", "auto")
LOG_LEVELS = ("debug", "info", "warning", "error")
MAX_PORT = 65_535
_LOOPBACK = "127.0.0.1"
_UNIX = "unix:"
_MAX_SOCKET_PATH_BYTES = 107  # Linux's sockaddr_un, less its closing zero

Address = tuple[str, int] | str
"""Where a socket is bound: host and port, or the path of a socket file."""


class SettingsError(UsageError):
    """A setting has a value that is not allowed; the message names the setting and the allowed values."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """How a setting is read and checked, and how --help shows it.

    must: the rest of a sentence "--flag must be …", with the test that it describes. separator: in the variable, where
    a setting has several values; its flag may then be given several times. shown: the default in words.
    """

    help: str
    read: Callable[[Any], Any] = int
    must: tuple[str, Callable[[Any], bool]] | None = None
    choices: Sequence[str] = ()
    unit: str = ""
    separator: str = ""
    shown: str = ""


_COUNT = ("at least 1", lambda value: value >= 1)
_NUMBER = ("0 or more", lambda value: 0 <= value < float("inf"))
_DURATION = ("above 0", lambda value: 0 < value < float("inf"))
_PART = ("above 0 and at most 1", lambda value: 0 < value <= 1)
_PORT = (f"between 0 and {MAX_PORT}", lambda value: 0 <= value <= MAX_PORT)
_PORT_OR_NONE = (f"between -1 and {MAX_PORT}", lambda value: -1 <= value <= MAX_PORT)


def _setting(default: Any, text: str, must: Any = None, **options: Any) -> Any:
    """Return a field of `Settings`; the options are those of `Option`."""
    return dataclasses.field(default=default, metadata={"option": Option(help=text, must=must, **options)})


def _choice(default: str, text: str, choices: Sequence[str]) -> Any:
    must = f"one of {', '.join(choices)}", choices.__contains__
    return _setting(default, text, must, read=str, choices=choices)


def _read_host(text: str) -> str:
    """Return an address without the brackets that IPv6 has in a URL."""
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a server; names end in their unit. Raises SettingsError."""

    # ruff: noqa: RUF009 - _setting makes a dataclass field, as dataclasses.field does
    host: str = _setting(
        _LOOPBACK,
        "address to listen on, or unix:PATH for a socket file; the container sets 0.0.0.0",
        read=_read_host,
        unit="ADDRESS",
    )
    port: int = _setting(8000, "TCP port; 0 takes a free one; not used with unix:PATH", _PORT)
    ops_port: int = _setting(
        -1,
        "TCP port of probes and metrics, on 127.0.0.1 if --host is unix:PATH; 0 takes a free one, -1 none",
        _PORT_OR_NONE,
    )
    models: tuple[Path, ...] = _setting(
        (),
        "folder of models, of the versions of one, or a bundle; may be given several times",
        read=lambda texts: tuple(map(Path, texts)),
        unit="FOLDER",
        separator=os.pathsep,
        shown="./models, ~/.local/share/seqserve/models and installed data packages",
    )
    default: tuple[tuple[str, str], ...] = _setting(
        (),
        "model for the requests of a task that name no model; several pairs are separated by commas",
        read=lambda texts: tuple(read_defaults(texts).items()),
        unit="TASK=NAME",
        separator=",",
        shown=f"{', '.join(map('='.join, SHIPPED.items()))} where these exist, else the first by name",
    )
    workers: int = _setting(0, "processes; 0 is one per core of the cgroup's quota ({cores} here)", _NUMBER)
    threads: int = _setting(
        16, "threads of a process for runs of graphs and for large requests; further work waits", _COUNT
    )
    provider: str = _choice("cpu", "device of the graphs; auto is cuda where it exists, else cpu", PROVIDERS)
    max_connections: int = _setting(
        4000, "connections that a process holds, idle ones included; further clients wait to be accepted", _COUNT
    )
    max_requests: int = _setting(256, "requests that a process answers at a time; further ones get 503", _COUNT)
    max_body_bytes: int = _setting(
        2 * 1024 * 1024, "size of a request body in bytes, also after decompression; a larger one gets 413", _COUNT
    )
    max_buffered_bytes: int = _setting(
        64 * 1024 * 1024, "bytes of requests and unread answers that a process holds; beyond them 503"
    )
    client_share: float = _setting(
        0.5,
        "part of each limit that one client (a key, else an address) may hold while it is alone; 503 beyond; 1 is all",
        _PART,
        read=float,
    )
    trust_forwarded: int = _setting(
        0,
        "number of proxies in front; the Nth entry of X-Forwarded-For from its end is the client's address; 0 is none",
        _NUMBER,
    )
    max_texts: int = _setting(1024, "texts of one request; more get 422", _COUNT)
    max_tokens: int = _setting(20_000, "tokens of one text; more get 422", _COUNT)
    max_queue_tokens: int = _setting(
        100_000, "tokens that a model of a process has accepted and not answered; beyond them 503", _COUNT
    )
    max_prompt_tokens: int = _setting(4096, "tokens of a prompt; more get 422", _COUNT)
    max_samples: int = _setting(64, "samples of a model that a process draws at a time; more take turns", _COUNT)
    max_waiting_samples: int = _setting(
        256,
        "samples of a model that wait for their turn; further ones get 503",
        # One request may have 64 samples, and must not be refused for ever.
        ("at least 64", lambda value: value >= 64),
    )
    deadline_s: float = _setting(30.0, "seconds in which a request is answered; after them 504", _DURATION, read=float)
    read_timeout_s: float = _setting(
        20.0, "seconds in which a client sends a request; after them its connection is closed", _DURATION, read=float
    )
    keep_alive_s: float = _setting(
        75.0, "seconds for which an idle connection is kept; after them it is closed", _DURATION, read=float
    )
    stuck_s: float = _setting(
        60.0, "seconds that one run of a graph may take; after them its process is replaced", _DURATION, read=float
    )
    drain_s: float = _setting(
        1.0, "seconds of serving after SIGTERM, while /readyz fails; after them the server stops", _NUMBER, read=float
    )
    api_keys_file: Path | None = _setting(None, "file of accepted API keys, one a line", read=Path, unit="FILE")
    log_level: str = _choice("info", "lowest level that is logged", LOG_LEVELS)
    access_log: str = _choice("off", "one JSON line per request on standard output", ("on", "off"))
    api_keys: tuple[str, ...] = dataclasses.field(default=(), repr=False)

    def __post_init__(self) -> None:
        for name, option in options():
            if option.must is not None:
                self._require(name, option.must[1](getattr(self, name)), option.must[0])
        # One body may be as large as max_body_bytes, and must not be refused for ever.
        self._require("max_buffered_bytes", self.max_buffered_bytes >= self.max_body_bytes, "at least --max-body-bytes")
        if self.host.startswith(_UNIX):
            path = self.host.removeprefix(_UNIX)
            fits = 0 < len(os.fsencode(path)) <= _MAX_SOCKET_PATH_BYTES
            self._require("host", fits, f"unix: and a path of 1 to {_MAX_SOCKET_PATH_BYTES} bytes")
            self._require("host", _may_be_socket(path), "unix: and the path of a socket or of no file")
        elif self.ops_port > 0:
            self._require("ops_port", self.ops_port != self.port, "another than --port")

    def _require(self, name: str, holds: bool, text: str) -> None:
        if not holds:
            raise SettingsError(f"{flag_of(name)} must be {text}, not {getattr(self, name)!r}.")

    @property
    def num_workers(self) -> int:
        """Processes to run: the setting, or one per core."""
        return self.workers or available_cores()

    @property
    def addresses(self) -> list[Address]:
        """The address of the service, then that of probes and metrics if they have a port.

        With a Unix socket, probes and metrics listen on the loopback address.
        """
        is_unix = self.host.startswith(_UNIX)
        service: Address = self.host.removeprefix(_UNIX) if is_unix else (self.host, self.port)
        ops = (_LOOPBACK if is_unix else self.host, self.ops_port)
        return [service, ops] if self.ops_port >= 0 else [service]

    @property
    def max_request_tokens(self) -> int:
        """Most tokens of all texts of a request; a request with more could never be queued."""
        return max(self.max_queue_tokens, self.max_tokens + 1)  # <EOS> counts


def flag_of(name: str) -> str:
    """Return the command-line flag of a setting: "max_tokens" is "--max-tokens"."""
    return "--" + name.replace("_", "-")


def variable_of(name: str) -> str:
    """Return the environment variable of a setting: "max_tokens" is "SEQSERVE_MAX_TOKENS"."""
    return "SEQSERVE_" + name.upper()


def options() -> Iterator[tuple[str, Option]]:
    """Yield name and option of every field that is a setting."""
    for field in dataclasses.fields(Settings):
        if field.metadata:
            yield field.name, field.metadata["option"]


def _may_be_socket(path: str) -> bool:
    """Return whether a socket can have this path: gunicorn replaces an old socket, and fails on any other file."""
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except (OSError, ValueError):
        return True
