"""Every setting of the server: one table gives flags, environment variables and --help."""

import argparse
import dataclasses
import logging
import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqserve.errors import BundleError, SeqserveError
from seqserve.files import read_file
from seqserve.service.cores import available_cores

PROVIDERS = ("cpu", "cuda", "auto")
LOG_LEVELS = ("debug", "info", "warning", "error")
MAX_PORT = 65_535
_LOOPBACK = "127.0.0.1"
_UNIX = "unix:"
_MAX_SOCKET_PATH_BYTES = 107  # Linux's sockaddr_un, less its closing zero
_MAX_KEY_FILE_BYTES = 1024 * 1024
_SERVICE_LINK = re.compile(r"(?:tcp|udp|sctp)://")
COMMANDS = """\
commands:
  (none)            serve under gunicorn
  tag FILE          find names offline, one sentence per line in ("-" reads standard input)
  score FILE        probability of sentences offline, one per line in, and of the whole file
  rank FILE         choose among candidates offline, JSON lines in, a request of /v1/rank each
  sample            new text offline, drawn token by token
  check BUNDLE      verify a bundle's checksums, graph and recorded answers

Each setting is a flag and an environment variable; the flag wins. API keys are never taken from the command line:
SEQSERVE_API_KEYS holds them, separated by commas, or --api-keys-file names a file with one a line. In the file, empty
lines and lines that begin with # are no keys.
"""


class SettingsError(SeqserveError):
    """A setting has no meaning; the message names it and what is allowed."""


def _read_host(text: str) -> str:
    """Return the address as the rest of the server wants it: IPv6 without the brackets that it has in a URL."""
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text


def _setting(default: Any, text: str, *, read: Callable[[str], Any] = int, choices: Sequence[str] = ()) -> Any:
    return dataclasses.field(default=default, metadata={"help": text, "read": read, "choices": choices})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the server runs with; checks itself. Names end in their unit.

    Raises SettingsError.
    """

    # ruff: noqa: RUF009 - _setting makes a dataclass field, as dataclasses.field does
    host: str = _setting(
        _LOOPBACK, "address to listen on, or unix:PATH for a socket file; the container sets 0.0.0.0", read=_read_host
    )
    port: int = _setting(8000, "TCP port; 0 takes a free one; not used with unix:PATH")
    ops_port: int = _setting(
        -1,
        "TCP port of probes and metrics, on 127.0.0.1 if --host is unix:PATH; 0 takes a free one, -1 none",
    )
    models: Path = _setting(Path("models"), "folder of bundles, <name>/<version>/ each, or one bundle", read=Path)
    workers: int = _setting(0, "processes; 0 is one per core of the cgroup's quota ({cores} here)")
    threads: int = _setting(16, "threads of a process that run graphs and work on large requests")
    provider: str = _setting("cpu", "where graphs run; auto takes cuda when it is there", read=str, choices=PROVIDERS)
    max_connections: int = _setting(4000, "most connections of a process, most of them idle; more wait for one to end")
    max_requests: int = _setting(256, "most requests a process answers at a time; beyond it 503")
    max_body_bytes: int = _setting(2 * 1024 * 1024, "largest request body, also after decompression, in bytes")
    max_buffered_bytes: int = _setting(
        64 * 1024 * 1024, "most bytes of requests and unread answers that a process holds; beyond it 503"
    )
    client_share: float = _setting(
        0.5,
        "part of each limit that one client (key, else address) may hold while no other holds any; 1 is all",
        read=float,
    )
    trust_forwarded: int = _setting(
        0,
        "number of proxies in front; the Nth entry of X-Forwarded-For from its end is the client's address; 0 is none",
    )
    max_texts: int = _setting(1024, "most texts of one request")
    max_tokens: int = _setting(20_000, "most tokens of one text")
    max_queue_tokens: int = _setting(100_000, "most tokens a process has accepted and not answered; beyond it 503")
    max_prompt_tokens: int = _setting(4096, "most tokens of a prompt to go on from")
    max_samples: int = _setting(64, "most samples of a model that a process draws at a time; more take turns")
    max_waiting_samples: int = _setting(256, "most samples of a model that wait for a turn; beyond it 503")
    deadline_s: float = _setting(30.0, "a request not answered by then gets 504, in seconds", read=float)
    read_timeout_s: float = _setting(20.0, "longest time a client may take to send a request, in seconds", read=float)
    keep_alive_s: float = _setting(75.0, "how long an idle connection is kept, in seconds", read=float)
    stuck_s: float = _setting(60.0, "a process whose graph runs for longer is replaced, in seconds", read=float)
    drain_s: float = _setting(1.0, "time to go on serving after SIGTERM, readiness failing, in seconds", read=float)
    api_keys_file: Path | None = _setting(None, "file of accepted API keys, one a line", read=Path)
    log_level: str = _setting("info", "least level that is logged", read=str, choices=LOG_LEVELS)
    access_log: str = _setting("off", "one JSON line per request, on standard output", read=str, choices=("on", "off"))
    api_keys: tuple[str, ...] = dataclasses.field(default=(), repr=False)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, choices = getattr(self, field.name), field.metadata.get("choices")
            if choices and value not in choices:
                raise SettingsError(f"{flag_of(field.name)} must be one of {', '.join(choices)}, not {value!r}.")
        for name in ("threads", "max_body_bytes", "max_texts", "max_tokens", "max_queue_tokens"):
            self._require(name, getattr(self, name) >= 1, "at least 1")
        for name in ("max_prompt_tokens", "max_samples", "max_connections", "max_requests"):
            self._require(name, getattr(self, name) >= 1, "at least 1")
        # One request may have that many, and must not be refused for ever.
        self._require("max_waiting_samples", self.max_waiting_samples >= 64, "at least 64")
        # One body may be that large, and must not be refused for ever.
        self._require("max_buffered_bytes", self.max_buffered_bytes >= self.max_body_bytes, "at least --max-body-bytes")
        for name in ("deadline_s", "read_timeout_s", "keep_alive_s", "stuck_s"):
            self._require(name, 0 < getattr(self, name) < float("inf"), "above 0")
        self._require("client_share", 0 < self.client_share <= 1, "above 0 and at most 1")
        self._require("trust_forwarded", self.trust_forwarded >= 0, "0 or more")
        self._require("workers", self.workers >= 0, "0 or more")
        self._require("drain_s", 0 <= self.drain_s < float("inf"), "0 or more")
        self._require("ops_port", -1 <= self.ops_port <= MAX_PORT, f"between -1 and {MAX_PORT}")
        self._require("port", 0 <= self.port <= MAX_PORT, f"between 0 and {MAX_PORT}")
        if self.host.startswith(_UNIX):
            path = self.host.removeprefix(_UNIX)
            fits = 0 < len(os.fsencode(path)) <= _MAX_SOCKET_PATH_BYTES
            self._require("host", fits, f"unix: and a path of 1 to {_MAX_SOCKET_PATH_BYTES} bytes")
            self._require("host", _may_be_socket(path), "unix: and the path of a socket or of no file")

    def _require(self, name: str, holds: bool, text: str) -> None:
        if not holds:
            raise SettingsError(f"{flag_of(name)} must be {text}, not {getattr(self, name)}.")

    @property
    def num_workers(self) -> int:
        """Processes to run: the setting, or one per core."""
        return self.workers or available_cores()

    @property
    def addresses(self) -> list[str]:
        """What to listen on, as gunicorn's `bind` takes it: the service, then probes and metrics if they have a port.

        With a Unix socket, probes and metrics listen on the loopback address.
        """
        is_unix = self.host.startswith(_UNIX)
        host = f"[{self.host}]" if ":" in self.host else self.host
        addresses = [self.host if is_unix else f"{host}:{self.port}"]
        if self.ops_port >= 0:
            addresses.append(f"{_LOOPBACK if is_unix else host}:{self.ops_port}")
        return addresses

    @property
    def max_request_tokens(self) -> int:
        """Most tokens of all texts of a request: one that could never be queued is refused for good."""
        return max(self.max_queue_tokens, self.max_tokens + 1)  # <EOS> counts


def flag_of(name: str) -> str:
    """Command-line flag of a setting: "max_tokens" is "--max-tokens"."""
    return "--" + name.replace("_", "-")


def variable_of(name: str) -> str:
    """Environment variable of a setting: "max_tokens" is "SEQSERVE_MAX_TOKENS"."""
    return "SEQSERVE_" + name.upper()


def make_parser(names: Sequence[str] | None = None, **kwargs: Any) -> argparse.ArgumentParser:
    """Return a parser for the flags of the named settings (all when None); absent flags stay None."""
    # No abbreviations: --api-keys would be --api-keys-file, with the key itself as its value.
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **kwargs)
    for field in dataclasses.fields(Settings):
        if not field.metadata or (names is not None and field.name not in names):
            continue
        default = "none" if field.default is None else field.default
        text = field.metadata["help"].format(cores=available_cores()).replace("%", "%%")
        parser.add_argument(
            flag_of(field.name),
            choices=field.metadata["choices"] or None,
            help=f"{text} (default {default}; {variable_of(field.name)})",
            metavar=None if field.metadata["choices"] else _metavar(field.name),
        )
    return parser


def read_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Read the server's settings; prints help or a usage error and exits like any command-line program.

    Raises SettingsError.
    """
    parser = make_parser(
        prog="python -m service",
        usage="python -m service [settings]\n       python -m service COMMAND --help",
        description="Serve bundles over HTTP.",
        epilog=COMMANDS,
    )
    return settings_from(vars(parser.parse_args(arguments)), environment)


def settings_from(flags: Mapping[str, str | None], environment: Mapping[str, str]) -> Settings:
    """Merge flags (which win) with environment variables; empty variables and service links count as absent.

    Logs a warning for each service link. Raises SettingsError.
    """
    values: dict[str, Any] = {}
    for field in dataclasses.fields(Settings):
        if not field.metadata:
            continue
        name, given = flag_of(field.name), flags.get(field.name)
        if given is None and (given := _variable(field.name, environment)):
            name = variable_of(field.name)
        if given in (None, ""):
            continue
        try:
            values[field.name] = field.metadata["read"](given)
        except ValueError:
            kind = "a whole number" if field.metadata["read"] is int else "a number"
            raise SettingsError(f"{name} must be {kind}, not {given!r}.") from None
    keys = _read_keys(values.get("api_keys_file"), environment.get("SEQSERVE_API_KEYS", ""))
    return Settings(**values, api_keys=keys)


def _variable(name: str, environment: Mapping[str, str]) -> str | None:
    """Return the value of a setting's variable, or None for what Kubernetes sets for a Service named seqserve."""
    value = environment.get(variable_of(name))
    if value is None or not _SERVICE_LINK.match(value):
        return value
    logging.getLogger("seqserve").warning(
        "%s is passed over: its value %r is a service link of Kubernetes, not a setting.", variable_of(name), value
    )
    return None


def _may_be_socket(path: str) -> bool:
    """Whether a socket can take this path: gunicorn replaces an old socket, and fails on any other file."""
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except (OSError, ValueError):
        return True


def _read_keys(file: Path | None, variable: str) -> tuple[str, ...]:
    keys = [key for part in variable.split(",") if (key := part.strip())]
    # Neither a variable nor a file without keys may open the server to everybody.
    if variable and not keys:
        raise SettingsError("SEQSERVE_API_KEYS is set but holds no key.")
    if file is not None:
        found = _read_key_file(file)
        if not found:
            raise SettingsError(f"--api-keys-file {file} holds no key.")
        keys += found
    return tuple(keys)


def _read_key_file(file: Path) -> list[str]:
    try:
        text = read_file(file, max_bytes=_MAX_KEY_FILE_BYTES).decode("utf-8-sig")
    except BundleError as error:
        raise SettingsError(f"--api-keys-file {error}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"--api-keys-file {file}: byte {error.start} is not UTF-8.") from error
    return [key for line in text.splitlines() if (key := line.strip()) and not key.startswith("#")]


def _metavar(name: str) -> str:
    for suffix, unit in (("_s", "SECONDS"), ("_bytes", "BYTES"), ("_tokens", "TOKENS"), ("_file", "FILE")):
        if name.endswith(suffix):
            return unit
    return {"models": "FOLDER", "host": "ADDRESS", "port": "PORT"}.get(name, "N")
