"""The parser of requests against llhttp's own judgement: whatever comes, both see the same requests end to end."""

import random
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks import http_fuzz
from benchmarks.http_fuzz import DisagreementError, fuzz, judge
from benchmarks.http_inputs import make_cuts
from seqserve.service.server.request_parser import RequestParser
from tests.fuzz.strategies import patient

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
PIECES = st.sampled_from(
    [
        HEAD,
        b"\r\n",
        b"\r\n\r\n",
        b"Content-Length: 5\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"Connection: upgrade\r\nUpgrade: x\r\n",
        b"Connection: close\r\n",
        b"CONNECT b:1 HTTP/1.1\r\nHost: b\r\n",
        b"5\r\nabcde\r\n",
        b"4;a=b\r\n\r\n\r\n\r\n",
        b"0\r\n\r\n",
        b"0\r\nX: y\r\n\r\n",
        b"\n",
        b"\r",
        b"a",
    ]
)
PIPELINE = HEAD + b"Content-Length: 5\r\n\r\n\r\n\r\nG" + HEAD + b"\r\n" + HEAD + b"\r\n"


@patient
@given(pieces=st.lists(st.one_of(PIECES, st.binary(max_size=3)), max_size=12), seed=st.integers(0, 1 << 32))
@example(pieces=[HEAD, b"Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 5\r\n\r\nGET /", HEAD, b"\r\n"], seed=0)
@example(pieces=[HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\n\r\n\r\n\r\n0\r\n\r\n", HEAD, b"\r\n"], seed=0)
def test_requests_end_where_llhttp_ends_them(pieces: list[bytes], seed: int) -> None:
    data = b"".join(pieces)
    judge(data, make_cuts(random.Random(seed), data))
    judge(data, range(1, len(data)))


def test_what_clients_might_send() -> None:
    tally = fuzz(3_000, seed=7, quiet=True)
    assert tally.is_good
    assert tally.requests > 1_000
    assert tally.refused > 1_000


def read_beyond(parser: RequestParser, data: bytes, start: int) -> int:
    """Break the parser: llhttp gets what follows a request together with it."""
    return len(data)


def forget_the_tail(parser: RequestParser, data: bytes, start: int) -> int:
    """Break the parser: a blank line that comes in two pieces is not seen."""
    at = data.find(b"\r\n\r\n", start)
    return len(data) if at < 0 else at + 4


@pytest.mark.parametrize("broken", [read_beyond, forget_the_tail])
def test_a_wrong_end_is_found(broken: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    data, cuts = PIPELINE, [len(PIPELINE) - len(HEAD) - 3]
    judge(data, cuts)
    monkeypatch.setattr(RequestParser, "_end_of_slice", broken)
    with pytest.raises((DisagreementError, AssertionError)):
        judge(data, cuts)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("_BLANK_LINE", b"\n\n", "end: "),
        ("MAX_LINE_BYTES", 0, "refused without a reason"),
        ("_keys", {b"Never-Seen": "HTTP_OTHER"}, "environ"),
    ],
)
def test_a_wrong_judgement_is_found(name: str, value: object, complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"seqserve.service.server.request_parser.{name}", value)
    with pytest.raises(DisagreementError, match=complaint):
        judge(PIPELINE.replace(b"POST", b"GET").replace(b"Host: a\r\n", b"Host: a\r\nNever-Seen: b\r\n"), [])


def test_a_failure_inside_the_parser_is_a_crash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(http_fuzz, "make_input", lambda rng: HEAD + b"\r\n")
    monkeypatch.setattr(RequestParser, "on_message_complete", lambda parser: 1 / 0)
    tally = fuzz(1, seed=0, quiet=True)
    assert (tally.crashes, tally.disagreements, tally.is_good) == (1, 0, False)
    assert "input 0 of seed 0" in capsys.readouterr().out


def test_the_command_prints_what_came_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert http_fuzz.main(["--inputs", "20"]) == 0
    assert capsys.readouterr().out.startswith("20 inputs: ")
