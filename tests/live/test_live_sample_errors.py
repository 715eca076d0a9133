"""Each row of the table of errors for /v1/sample, through a real server, at once and in streams."""

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.faults.clients import wait_until
from tests.live.problems import check_problem
from tests.live.sampling import FAR_S, SLOW, TOYS, events_of, sample, samples, streaming, wait_for_active
from tests.live.served import Served
from tests.live.test_live_errors import MALFORMED
from tests.service.test_sample_errors import REFUSED

SERVER = "toy_server"


@pytest.mark.parametrize(("extra", "pointer"), REFUSED.values(), ids=REFUSED)
def test_invalid_request(server: Served, extra: dict[str, Any], pointer: str) -> None:
    problem = check_problem(sample(server, {"model": "toy-word"} | extra), 422, "invalid_request")
    assert [field["pointer"] for field in problem["errors"]] == [pointer]
    check_problem(sample(server, {"model": "toy-word", "stream": True} | extra), 422, "invalid_request")


@pytest.mark.parametrize("name", ["temperature", "top_p", "min_p", "repetition_penalty"])
def test_numbers_out_of_range_are_well_formed(server: Served, name: str) -> None:
    check_problem(sample(server, f'{{"{name}": 1e999}}'.encode()), 422, "invalid_request")
    check_problem(sample(server, f'{{"{name}": NaN}}'.encode()), 400, "malformed_json")


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_malformed_json(server: Served, body: bytes) -> None:
    check_problem(sample(server, body), 400, "malformed_json")


def test_a_prompt_that_is_too_long(server: Served) -> None:
    for model, prompt in (("toy-word", "the " * 4097), ("toy-character", "a" * 1_000_000)):
        problem = check_problem(sample(server, {"model": model, "prompt": prompt}), 422, "text_too_long")
        assert [field["pointer"] for field in problem["errors"]] == ["/prompt"]
        assert "4096" in problem["detail"]
    assert samples(server, model="toy-word", prompt="the " * 4096, max_tokens=2)


def test_errors_that_all_routes_share(server: Served) -> None:
    check_problem(sample(server, {"model": "lm-xx"}), 404, "model_not_found")
    check_problem(sample(server, {"model": "tiny-ner"}), 409, "task_mismatch")
    check_problem(sample(server, {}, headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")
    check_problem(sample(server, b" " * 3_000_000), 413, "payload_too_large")
    check_problem(server.get("/v1/sample"), 405, "method_not_allowed")
    check_problem(sample(server, []), 422, "invalid_request")


def test_deadline_exceeded(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--deadline-s", "1", script=TOYS)
    check_problem(sample(server, {**SLOW, "max_tokens": 4096}), 504, "deadline_exceeded")
    *pieces, last = events_of(sample(server, {**SLOW, "max_tokens": 4096, "stream": True}).body)
    assert pieces
    assert (last["error"]["status"], last["error"]["code"]) == (504, "deadline_exceeded")
    wait_for_active(server, "toy-slow", lambda number: number == 0)
    assert sample(server, {"model": "toy-word", "max_tokens": 2}).status == 200


def test_overloaded(serve: Callable[..., Served]) -> None:
    server = serve(
        "--workers", "1", "--max-samples", "1", "--max-waiting-samples", "64", "--client-share", "1", script=TOYS
    )
    with streaming(server, **SLOW, n=64, max_tokens=4096):
        for streams in (False, True):
            reply = sample(server, {**SLOW, "n": 2, "stream": streams})
            check_problem(reply, 503, "overloaded")
            assert 1 <= int(reply.headers["Retry-After"]) <= 31
        assert samples(server, **SLOW, max_tokens=1)
    wait_for_active(server, "toy-slow", lambda number: number == 0)
    assert len(samples(server, **SLOW, n=64, max_tokens=1)) == 64


def test_an_error_in_the_middle_of_a_stream_is_its_last_event(server: Served) -> None:
    body = {"model": "toy-melting", "seed": 1}
    check_problem(sample(server, body), 500, "internal")
    reply = sample(server, {**body, "stream": True}, headers={"X-Request-Id": "req-9"})
    *pieces, last = events_of(reply.body)
    assert len(pieces) == 4
    assert set(last) == {"error"}
    assert set(last["error"]) == {"type", "title", "status", "detail", "code", "errors"}
    assert last["error"]["code"] == "internal"
    assert "melted" not in reply.body.decode()
    assert wait_until(lambda: "the graph melted" in server.log and "req-9" in server.log, FAR_S)
