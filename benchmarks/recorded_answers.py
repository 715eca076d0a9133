"""Whether answers are the same bytes as before: record them with one commit, compare them with another.

    python -m benchmarks.recorded_answers record FILE [--url URL] [--models DIR]
    python -m benchmarks.recorded_answers compare FILE [--url URL] [--models DIR]

Without --url, both start the service of this checkout with the shipped models. FILE holds JSON lines, compressed with
gzip: one request and its answer each. `compare` sends the requests of FILE and exits with 1 if an answer differs.
Headers other than the content type are left out, because they hold times and numbers of requests. Every request names
its model, so that a change of the default model is no difference. Of a stream, the text, the tokens and the end of each
sample are compared: the order of its events depends on time.
"""

import argparse
import gzip
import http.client
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from benchmarks import run
from benchmarks.recorded_requests import Request, make_requests
from benchmarks.running_service import running_service
from seqserve.errors import SeqserveError

_REQUEST_LIMIT_S = 120.0
_SHOWN = 10
_AROUND = 60
_SETTINGS = ("--workers", "1")


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One request and its answer; bodies are base64 in the file."""

    method: str
    path: str
    body: bytes
    content_type: str
    status: int
    answer_type: str
    answer: bytes

    @property
    def request(self) -> Request:
        """The request alone."""
        return Request(self.method, self.path, self.body, self.content_type)


def write(path: Path, recorded: Iterable[Recorded]) -> None:
    """Write JSON lines, compressed; the same answers give the same bytes."""
    lines = b"".join(msgspec.json.encode(each) + b"\n" for each in recorded)
    path.write_bytes(gzip.compress(lines, mtime=0))


def read(path: Path) -> list[Recorded]:
    """Read what `write` has written; raises SeqserveError when the file is something else."""
    try:
        lines = gzip.decompress(path.read_bytes()).splitlines()
        recorded = [msgspec.json.decode(line, type=Recorded) for line in lines]
    except (OSError, EOFError, msgspec.DecodeError) as error:
        raise SeqserveError(f"{path} cannot be read as recorded answers: {error}") from error
    if not recorded:
        raise SeqserveError(f"{path} holds no recorded answers")
    return recorded


def difference(before: Recorded, after: Recorded) -> str:
    """Say in one line how two answers to a request differ; empty when they are the same."""
    parts = []
    if before.status != after.status:
        parts.append(f"status {before.status}, now {after.status}")
    if before.answer_type != after.answer_type:
        parts.append(f"content type {before.answer_type}, now {after.answer_type}")
    one, other = _comparable(before), _comparable(after)
    if one != other:
        pairs = enumerate(zip(one, other, strict=False))
        at = next((place for place, (old, new) in pairs if old != new), min(len(one), len(other)))
        parts.append(f"byte {at}: {_around(one, at)}, now {_around(other, at)}")
    return "; ".join(parts)


def _comparable(recorded: Recorded) -> bytes:
    """Return the answer; of a stream the text, the tokens and the end of each sample, whatever its pieces were."""
    if not recorded.answer_type.startswith("text/event-stream"):
        return recorded.answer
    samples: dict[int, dict[str, Any]] = {}
    others = []
    for line in recorded.answer.split(b"\n\n"):
        event = msgspec.json.decode(line.removeprefix(b"data: ")) if line.startswith(b"data: {") else {}
        if "index" not in event:
            others.append(line.decode("utf-8", "replace"))
            continue
        sample = samples.setdefault(event["index"], {"text": "", "tokens": []})
        sample["text"] += event.pop("text", "")
        sample["tokens"] += event.pop("tokens", [])
        if "finish_reason" in event:
            sample["end"] = event
    return msgspec.json.encode([sorted(samples.items()), others])


def _around(answer: bytes, at: int) -> str:
    return repr(answer[max(0, at - _AROUND) : at + _AROUND].decode("utf-8", "replace"))


def ask(address: str, requests: Iterable[Request]) -> Iterator[Recorded]:
    """Send requests one after the other, each on a connection of its own; address is HOST:PORT."""
    for request in requests:
        connection = http.client.HTTPConnection(address, timeout=_REQUEST_LIMIT_S)
        headers = {"Content-Type": request.content_type} if request.content_type else {}
        try:
            connection.request(request.method, request.path, request.body or None, headers)
            answer = connection.getresponse()
            given = answer.getheader("Content-Type", "")
            yield Recorded(**asdict(request), status=answer.status, answer_type=given, answer=answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise SeqserveError(f"{request.method} {request.path} got no answer: {error!r}") from error
        finally:
            connection.close()


@contextmanager
def _address(arguments: argparse.Namespace) -> Iterator[str]:
    if arguments.url:
        yield urlsplit(arguments.url).netloc
        return
    with running_service(arguments.models, _SETTINGS) as service:
        yield f"127.0.0.1:{service.port}"


def _record(arguments: argparse.Namespace) -> int:
    with _address(arguments) as address:
        recorded = list(ask(address, make_requests(arguments.models)))
    write(arguments.file, recorded)
    statuses = Counter(each.status for each in recorded)
    print(f"{len(recorded)} answers recorded: " + ", ".join(f"{statuses[code]} x {code}" for code in sorted(statuses)))
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    before = read(arguments.file)
    with _address(arguments) as address:
        after = list(ask(address, [each.request for each in before]))
    found = [
        f"{one.method} {one.path} {one.body[:200].decode('utf-8', 'replace')}\n  {text}"
        for one, other in zip(before, after, strict=True)
        if (text := difference(one, other))
    ]
    print(f"{len(before) - len(found)} of {len(before)} answers are the same bytes")
    print("".join(f"{text}\n" for text in found[: arguments.show]), end="")
    return 1 if found else 0


def main(words: Sequence[str] | None = None) -> int:
    """Record answers, or compare them."""
    about, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.recorded_answers",
        description=about,
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = {"record": _record, "compare": _compare}
    parser.add_argument("command", choices=commands)
    parser.add_argument("file", type=Path, metavar="FILE", help="of JSON lines, compressed with gzip")
    parser.add_argument("--url", help="of a service that runs, http://HOST:PORT (starts one)")
    parser.add_argument("--models", type=Path, default=Path("models"), metavar="DIR", help="folder of bundles (models)")
    parser.add_argument("--show", type=int, default=_SHOWN, metavar="N", help=f"differences to print ({_SHOWN})")
    arguments = parser.parse_args(words)
    return commands[arguments.command](arguments)


if __name__ == "__main__":
    run(main)
