"""A client on a slow line that never stops reading gets all of a large answer, however long that takes."""

import http.client
import socket
import time

from benchmarks.faults.finding import Finding, Measure
from benchmarks.faults.known_answers import KnownAnswer, ask_alone
from benchmarks.faults.plan import Plan
from benchmarks.faults.started import started
from benchmarks.load.plan import post

MODELS = ("lm-char-en",)
"""Bundles that it needs beside the usual ones."""

_BYTES_PER_S = 400_000
_LEAST_S = 30.0
"""Longer than the server waits for a client that reads nothing (`STALL_LIMIT_S`)."""
_NUM_CHARACTERS = 20_000
_SMALL_BUFFER_BYTES = 65_536
_PIECE_BYTES = 8_192
_LIMIT_S = 60.0


def find(plan: Plan) -> Finding:
    """Read one answer of about 20 MB at 400 kB/s and compare it with the answer given to a fast reader."""
    text = ("The quick brown fox jumps over the lazy dog. " * _NUM_CHARACTERS)[:_NUM_CHARACTERS]
    body = {"model": MODELS[0], "text": text, "eos": False, "include": ["tokens"], "top": 20}
    with started(plan.models, plan.settings) as service:
        (known,) = ask_alone(service.port, [("/v1/score", body)])
        read, seconds, reason = read_slowly(service.port, known)
        service.check_alive()
    is_whole = read == known.answer
    size = len(known.answer)
    seen = f"{len(read):,} of {size:,} bytes in {seconds:.0f} s{reason and f' ({reason})'}"
    return Finding(
        "slow_reader",
        (
            Measure(f"of an answer read at {_BYTES_PER_S // 1000} kB/s", "all", seen, is_whole),
            Measure("how long it was read", f"> {_LEAST_S:.0f} s", f"{seconds:.0f} s", seconds > _LEAST_S),
        ),
        {"num_bytes": size, "num_read": len(read), "seconds": seconds, "reason": reason},
    )


def read_slowly(port: int, known: KnownAnswer, *, bytes_per_s: float = _BYTES_PER_S) -> tuple[bytes, float, str]:
    """Ask, and read the answer at a steady rate; return its body, the seconds of reading, and why it ended early."""
    with socket.socket() as client:
        client.settimeout(_LIMIT_S)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER_BYTES)
        client.connect(("127.0.0.1", port))
        client.sendall(post(known.path, known.body))
        pieces: list[bytes] = []
        reason = ""
        with http.client.HTTPResponse(client, method="POST") as answer:
            answer.begin()
            started_at, num_read = time.monotonic(), 0
            try:
                while piece := answer.read(_PIECE_BYTES):
                    pieces.append(piece)
                    num_read += len(piece)
                    time.sleep(max(0.0, started_at + num_read / bytes_per_s - time.monotonic()))
                if answer.length:  # read() with a size does not say so
                    reason = "closed early"
            except (OSError, http.client.HTTPException) as error:
                reason = type(error).__name__
        return b"".join(pieces), time.monotonic() - started_at, reason
