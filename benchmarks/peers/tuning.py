"""What batch size and waiting time suit a peer best: requests a second of 32 clients, one sentence a request.

    python -m benchmarks.peers.tuning NAME [--max-batch 8 16] [--wait-ms 0 1 2 5] [--rounds 3] [--seconds 3]

Each combination is started once a round, in turn; medians over rounds. The clients share the machine with the peer, and
each sends its next sentence of 20 tokens as soon as its last one is answered. Beside requests a second stand those for
each core-second of the peer's processes, which a busy machine changes little. It finds a peer's own best setting: peers
are compared with each other by `python -m benchmarks`.
"""

import argparse
import asyncio
import dataclasses
import os
import statistics
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

from benchmarks import run
from benchmarks.peers import PEERS, Peer, running
from benchmarks.peers.requirements import ENVIRONMENTS
from benchmarks.peers.running_peer import processes_of
from benchmarks.peers.sentences import SENTENCES
from benchmarks.running_service import ServiceError
from seqserve.text.tokenization import tokenize

_CLIENTS = 32
_TOKENS = 20
_WARM_UP_S = 1.0


def sentences() -> list[str]:
    """Fifty texts of exactly 20 tokens, cut from the words of the texts that peers are checked with."""
    words = cycle(token.text for text in SENTENCES for token in tokenize(text) if token.text.isalpha())
    return [" ".join([*islice(words, _TOKENS - 1), "."]) for _ in SENTENCES]


async def _client(peer: Peer, port: int, texts: Sequence[str], until: float) -> int:
    """Answers with status 200 until an instant of the monotonic clock."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answered = 0
    try:
        for text in cycle(texts):
            if time.monotonic() >= until:
                return answered
            body = peer.body(text)
            lines = [f"POST {peer.path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
            lines += [f"{name}: {value}" for name, value in peer.headers.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            peer.entities(await _answer(reader))
            answered += 1
    finally:
        writer.close()
    return answered


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status, *fields = head.split("\r\n")
    headers = dict(field.split(": ", 1) for field in fields if field)
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    else:
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
    if status.split()[1] != "200":
        raise ServiceError(f"{status}: {body[:300].decode('utf-8', 'replace')}")
    return body


async def _load(peer: Peer, port: int, seconds: float) -> int:
    """Requests that were answered in this time."""
    texts = sentences()
    until = time.monotonic() + seconds
    clients = [_client(peer, port, texts[start:] + texts[:start], until) for start in range(_CLIENTS)]
    return sum(await asyncio.gather(*clients))


def measure(peer: Peer, bundle: Path, environments: Path, seconds: float) -> tuple[float, float]:
    """Start the peer, let it run for a second, and measure requests a second and for each of its core-seconds."""
    with running(peer, bundle, environments) as port:
        asyncio.run(_load(peer, port, _WARM_UP_S))
        before = _core_seconds(port)
        answered = asyncio.run(_load(peer, port, seconds))
        return answered / seconds, answered / (_core_seconds(port) - before)


def _core_seconds(port: int) -> float:
    """Processor time so far of all processes of a peer."""
    total = 0
    for process_id in processes_of(port):
        fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])  # utime, stime
    return total / os.sysconf("SC_CLK_TCK")


def _median_and_spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f})"


def main(words: Sequence[str] | None = None) -> int:
    """Print what every combination gives."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.tuning", description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=list(PEERS), metavar="NAME", help=", ".join(PEERS))
    parser.add_argument("--max-batch", type=int, nargs="+", default=[8, 16], metavar="N", help="(8 16)")
    parser.add_argument("--wait-ms", type=int, nargs="+", default=[0, 1, 2, 5], metavar="N", help="(0 1 2 5)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="(3)")
    parser.add_argument("--seconds", type=float, default=3.0, metavar="S", help="of each measurement (3)")
    parser.add_argument("--bundle", type=Path, default=Path("models/ner-en/2"), metavar="BUNDLE")
    parser.add_argument("--environments", type=Path, default=ENVIRONMENTS, metavar="FOLDER")
    arguments = parser.parse_args(words)
    peers = [
        dataclasses.replace(PEERS[arguments.name], max_batch=max_batch, wait_ms=wait_ms)
        for max_batch in arguments.max_batch
        for wait_ms in arguments.wait_ms
    ]
    where = arguments.bundle, arguments.environments, arguments.seconds
    rounds = [[measure(peer, *where) for peer in peers] for _ in range(arguments.rounds)]
    for peer, measured in zip(peers, zip(*rounds, strict=True), strict=True):
        a_second, a_core_second = (_median_and_spread(values) for values in zip(*measured, strict=True))
        setting = f"{peer.name}, batch {peer.max_batch}, wait {peer.wait_ms} ms"
        print(f"{setting}: {a_second} requests/s, {a_core_second} a core-second", flush=True)
    return 0


if __name__ == "__main__":
    run(main)
