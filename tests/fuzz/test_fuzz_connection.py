"""A whole connection with what clients might send: the app gets the requests that llhttp sees, and nothing else."""

import random
from typing import Any

import pytest

from benchmarks.http_fuzz import judge
from benchmarks.http_inputs import MAX_BODY_BYTES, make_cuts, make_input
from tests.service.server.apps import in_loop
from tests.service.server.fake_host import connected


@pytest.mark.parametrize("seed", range(4))
@in_loop
def test_the_app_gets_what_llhttp_sees(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(40):
        rng = random.Random(seed << 40 | number)
        data = make_input(rng)
        cuts = make_cuts(rng, data)[:8]
        seen: list[tuple[str, str, bytes]] = []

        def app(environ: dict[str, Any], start_response: Any, seen: list[Any] = seen) -> list[bytes]:
            seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["wsgi.input"].read()))
            start_response("200 OK", [])
            return [b"answer"]

        reading = judge(data, cuts)
        with connected(app, max_body_bytes=MAX_BODY_BYTES) as (_, _, client):
            answers = talk(client, [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, None], strict=True)])
        expected = [(each.environ["REQUEST_METHOD"], each.environ["PATH_INFO"], each.body) for each in reading.requests]
        assert seen == expected, data
        assert answers.count(b"HTTP/1.1 200 OK\r\n") == len(expected), data
        assert answers.count(b"HTTP/1.1 4") == (b"HTTP/1.1 4" in answers), data
        if reading.error is not None:
            assert b"\r\nConnection: close\r\n" in answers, data
    assert not caplog.records


def talk(client: Any, pieces: list[bytes]) -> bytes:
    """Send the pieces and return all that is answered; a server that has closed meanwhile takes no more."""
    try:
        for piece in pieces:
            client.say(piece)
        client.end()
    except OSError:
        pass
    return bytes(client.rest())
