"""Gives the parser of requests what clients might send, cut anywhere, and compares it with llhttp's own judgement.

python -m benchmarks.http_fuzz --inputs N [--seed 0]

llhttp gets the same bytes twice, all at once and one by one. Both must agree with the service on where each request
ends, and on its method, target, headers and body; what llhttp refuses, the service must refuse at the same byte or
before it. What the service refuses beyond that must have one of the known reasons. Whatever does not hold is printed
with the number that makes the input again; the exit status is 1.
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httptools
from tqdm import tqdm

from benchmarks import run
from benchmarks.http_inputs import MAX_BODY_BYTES, make_cuts, make_input
from benchmarks.http_oracle import INVALID, Oracle, Seen, environ_of, refusals
from seqserve.errors import RequestError
from seqserve.service.server.request_parser import Environ, RequestParser

_MOST_SHOWN = 5


class DisagreementError(AssertionError):
    """The service and llhttp do not agree, or the service has no known reason for what it refuses."""


@dataclass(slots=True)
class Request:
    """One request, as the service has read it."""

    environ: Environ
    body: bytes
    end: int
    keeps_alive: bool


@dataclass(slots=True)
class Reading:
    """What the service makes of a connection's bytes."""

    requests: list[Request] = field(default_factory=list)
    error: RequestError | None = None
    cause: BaseException | None = None
    fed_from: int = 0
    """Where the piece begins in which the error was found."""
    fed_to: int = 0


def read(data: bytes, cuts: Sequence[int]) -> Reading:
    """Read the bytes in pieces as a connection does."""
    reading, parser = Reading(), RequestParser({}, max_body_bytes=MAX_BODY_BYTES)
    for begin, end in zip((0, *cuts), (*cuts, len(data)), strict=True):
        piece, position = data[begin:end], 0
        reading.fed_from, reading.fed_to = begin, end
        while position < len(piece):
            before = position
            try:
                position = parser.feed(piece, position)
            except RequestError as error:
                reading.error, reading.cause = error, error.__cause__
                return reading
            if position <= before:
                raise DisagreementError("nothing was read")
            if parser.is_complete:
                assert parser.environ is not None, "a complete request has a head"
                request = Request(parser.environ, parser.body, begin + position, parser.keeps_alive)
                reading.requests.append(request)
                if not request.keeps_alive:
                    return reading
                parser.reset()
    return reading


def judge(data: bytes, cuts: Sequence[int]) -> Reading:
    """Read the bytes; raises DisagreementError, and whatever the parser raises that is no RequestError."""
    oracle, at_once, reading = Oracle(data, step=1), Oracle(data, step=max(1, len(data))), read(data, cuts)
    _compare_oracles(oracle, at_once)
    if isinstance(reading.cause, httptools.HttpParserCallbackError):
        raise reading.cause
    complete = oracle.complete
    for request, seen in zip(reading.requests, complete, strict=False):
        _compare(request, seen)
    num_read = len(reading.requests)
    if num_read > len(complete):
        raise DisagreementError(f"llhttp sees {len(complete)} requests, the service {num_read}")
    if reading.error is not None:
        _check_refusal(reading, oracle, len(data))
    elif num_read < len(complete):
        raise DisagreementError(f"llhttp sees {len(complete)} requests, the service {num_read}, and refuses nothing")
    elif oracle.refused_at >= 0:
        raise DisagreementError(f"llhttp refuses byte {oracle.refused_at}, the service nothing")
    return reading


def _compare_oracles(oracle: Oracle, at_once: Oracle) -> None:
    """Raise DisagreementError where llhttp's judgement depends on how it is fed."""
    ours, theirs = (
        [(seen.url, seen.headers, seen.method, seen.body) for seen in each.complete] for each in (oracle, at_once)
    )
    # At once it also sees what follows the last request of a connection, and refuses it.
    if ours != theirs or (not oracle.is_closed and (oracle.refused_at < 0) != (at_once.refused_at < 0)):
        raise DisagreementError("llhttp does not agree with itself")


def _compare(request: Request, seen: Seen) -> None:
    facts = [
        ("end", request.end, seen.end),
        ("keeps alive", request.keeps_alive, seen.keeps_alive),
        ("body", request.body, seen.body),
        ("environ", request.environ, environ_of(seen)),
    ]
    for name, ours, theirs in facts:
        if ours != theirs:
            raise DisagreementError(f"{name}: {ours!r}, but by llhttp {theirs!r}")
    num_bytes = seen.end - seen.begin
    reasons = refusals(seen, num_bytes=num_bytes, max_body_bytes=MAX_BODY_BYTES)
    # Those of chunks are about sums of what came before any byte of the body, and so only hold where nothing did.
    if reasons - {"The sizes, extensions and trailers of the chunks"}:
        raise DisagreementError(f"not refused: {sorted(reasons)}")


def _check_refusal(reading: Reading, oracle: Oracle, num_bytes: int) -> None:
    assert reading.error is not None, "called where there is an error"
    num_read, detail = len(reading.requests), reading.error.detail
    if 0 <= oracle.refused_at < reading.fed_from:
        raise DisagreementError(f"llhttp refuses byte {oracle.refused_at}, the service at {reading.fed_from} or later")
    seen = oracle.requests[num_read]
    reasons = refusals(
        seen,
        num_bytes=(seen.end if seen.end >= 0 else num_bytes) - seen.begin,
        max_body_bytes=MAX_BODY_BYTES,
    )
    if oracle.refused_at >= 0 and num_read == len(oracle.requests) - 1 and oracle.refused_at < reading.fed_to:
        reasons.add(INVALID)
    if not any(map(detail.startswith, reasons)):
        raise DisagreementError(f"refused without a reason: {detail} (known: {sorted(reasons)})")


@dataclass(slots=True)
class Tally:
    """What came of the inputs."""

    inputs: int = 0
    requests: int = 0
    refused: int = 0
    crashes: int = 0
    disagreements: int = 0

    @property
    def is_good(self) -> bool:
        """Whether nothing failed."""
        return not self.crashes and not self.disagreements


def fuzz(num_inputs: int, *, seed: int, show: Callable[[str], object] = print, quiet: bool = False) -> Tally:
    """Judge inputs made from the seed and their numbers; shows the first failures."""
    tally, rng = Tally(), random.Random()
    for number in tqdm(range(num_inputs), unit="input", disable=quiet or None, mininterval=1):
        rng.seed(seed << 40 | number)
        data = make_input(rng)
        cuts = make_cuts(rng, data)
        tally.inputs += 1
        try:
            reading = judge(data, cuts)
        except Exception as error:
            tally.disagreements += isinstance(error, DisagreementError)
            tally.crashes += not isinstance(error, DisagreementError)
            if tally.crashes + tally.disagreements <= _MOST_SHOWN:
                show(f"input {number} of seed {seed}: {error!r}\n  {data!r}\n  cut at {cuts}")
        else:
            tally.requests += len(reading.requests)
            tally.refused += reading.error is not None
    return tally


def main(words: Sequence[str] | None = None) -> int:
    """Fuzz and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.http_fuzz", description=__doc__.split("\n")[0])
    parser.add_argument("--inputs", type=int, required=True, metavar="N", help="how many connections to make up")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the inputs (0)")
    arguments = parser.parse_args(words)
    begun_at = time.monotonic()
    tally = fuzz(arguments.inputs, seed=arguments.seed)
    seconds = time.monotonic() - begun_at
    print(
        f"{tally.inputs} inputs: {tally.requests} requests, {tally.refused} refused, {tally.crashes} crashes, "
        f"{tally.disagreements} disagreements, {seconds:.0f} s"
    )
    return 0 if tally.is_good else 1


if __name__ == "__main__":
    run(main)
