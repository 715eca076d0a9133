"""Commands and answers shown on a page of docs/: read from its fenced blocks, run in order, compared."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("bash", "python", "javascript")
LINKED = ("models", "examples")
DOCUMENTED_PORT = "8000"
TOLERANCE = 1e-3
"""How far a number with decimals may be from the one on the page: other processors round otherwise."""

_BLOCK = re.compile(r"^(?:<!-- (?P<note>[^>]+) -->\n)?```(?P<language>\w+)\n(?P<body>.*?)^```$", re.M | re.S)
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_ANY_NUMBER = re.compile(r" *\d[\d,.]*")
_START_LIMIT_S = 60.0


@dataclass(frozen=True)
class Example:
    """A block that is run; `answer` is the block of output that follows it, None where none is shown.

    note: `background` for a server that goes on while later blocks ask it, `numbers vary` where a training decides
    the numbers, and `not run: REASON`.
    """

    language: str
    code: str
    answer: str | None
    note: str


def examples_of(page: str) -> list[Example]:
    """Return the examples of a page in order; an answer stands right below its block."""
    found: list[Example] = []
    end = -1
    for match in _BLOCK.finditer(page):
        language, body = match["language"], match["body"]
        if language in LANGUAGES:
            found.append(Example(language, body, None, match["note"] or ""))
            end = match.end()
        elif language in ("text", "json") and found and page[end : match.start()].strip() == "":
            found[-1] = Example(found[-1].language, found[-1].code, body, found[-1].note)
    return found


def assert_alike(shown: str, given: str, *, numbers_vary: bool = False) -> None:
    """Compare an answer with the one on the page, number by number."""
    shown, given = _plain(shown), _plain(given)
    changing = _ANY_NUMBER if numbers_vary else _NUMBER
    assert changing.sub("#", shown) == changing.sub("#", given), f"the page shows\n{shown}\nthe answer is\n{given}"
    if not numbers_vary:
        for one, other in zip(_NUMBER.findall(shown), _NUMBER.findall(given), strict=True):
            assert abs(float(one) - float(other)) <= TOLERANCE * max(1, abs(float(one))), f"{one} is {other} now"


def _plain(text: str) -> str:
    """Write JSON in one way, and leave out white space at the ends of lines."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return "\n".join(line.rstrip() for line in text.strip().splitlines())


class Reader:
    """Somebody who tries a page: a folder with links to what a clone holds, and `seqserve` on the path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._servers: list[subprocess.Popen[bytes]] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = str(free.getsockname()[1])
        for name in LINKED:
            (folder / name).symlink_to(ROOT / name)
        commands = folder / ".commands"
        commands.mkdir()
        (commands / "seqserve").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m seqserve "$@"\n')
        (commands / "seqserve").chmod(0o755)
        (commands / "python").symlink_to(sys.executable)
        self._environment = {
            **os.environ,
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
        }

    def run(self, example: Example) -> str:
        """Run one example and return what it prints; fails when it does not end with status 0."""
        code = example.code.replace(f"localhost:{DOCUMENTED_PORT}", f"localhost:{self._port}")
        if example.note == "background":
            self._start(code)
            return ""
        words = {
            "bash": ["bash", "-euo", "pipefail", "-c", code],
            "python": [sys.executable, "-c", code],
            "javascript": ["node", "--input-type=module", "-e", code],
        }[example.language]
        done = subprocess.run(words, cwd=self._folder, env=self._environment, capture_output=True, check=False)
        assert done.returncode == 0, f"{code}\n{done.stderr.decode()}"
        return done.stdout.decode()

    def _start(self, code: str) -> None:
        environment = self._environment | {"SEQSERVE_PORT": self._port, "SEQSERVE_WORKERS": "1"}
        with open(self._folder / ".server.log", "ab") as log:
            server = subprocess.Popen(
                ["bash", "-c", f"exec {code}"],
                cwd=self._folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._servers.append(server)
        deadline = time.monotonic() + _START_LIMIT_S
        while not self._is_ready():
            if server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((self._folder / ".server.log").read_text())
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://localhost:{self._port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def close(self) -> None:
        """Stop what runs in the background."""
        for server in self._servers:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                os.killpg(server.pid, signal.SIGTERM)
        for server in self._servers:
            server.wait()


def pages() -> Iterator[Path]:
    """Return every page of docs/ whose examples are run."""
    for path in sorted((ROOT / "docs").glob("*.md")):
        if path.name not in ("design.md", "results.md", "operations.md"):
            yield path
