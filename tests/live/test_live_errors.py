"""Each row of the table of errors, through a real server: status, code, one shape, and the same workers afterwards."""

import json
from collections.abc import Callable

import pytest

from benchmarks.faults.clients import wait_until
from tests.live.problems import FINE, check_one_is_refused, check_problem
from tests.live.served import Served

FAR_S = 30.0
BROKEN = ("-m", "tests.live.broken_server")

MALFORMED = {
    "nothing": b"",
    "not JSON": b"hello",
    "cut": b'{"text": "a"',
    "more after it": b'{"text": "a"} x',
    "wrong type, then cut": b'{"text": 5, ',
    "NaN": b'{"text": "a", "min_score": NaN}',
    "Infinity": b'{"text": "a", "min_score": Infinity}',
    "lone high surrogate": b'{"text": "\\ud800"}',
    "lone low surrogate": b'{"text": "a\\udc00b"}',
    "surrogate in a name": b'{"\\ud800": 1}',
    "surrogate bytes": b'{"text": "\xed\xa0\x80"}',
    "no UTF-8": b'{"text": "\xff"}',
    "UTF-16": '{"text": "a"}'.encode("utf-16"),
    "deep lists": b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_malformed_json(server: Served, body: bytes) -> None:
    check_problem(server.post(body), 400, "malformed_json")


INVALID = {
    "a list": ([], [""]),
    "a string": ("text", [""]),
    "null": (None, [""]),
    "neither text nor tokens": ({}, ["/text", "/tokens"]),
    "both": ({"text": "a", "tokens": ["a"]}, ["/text", "/tokens"]),
    "number for text": ({"text": 3}, ["/text"]),
    "number among texts": ({"text": ["a", "b", "c", 3]}, ["/text/3"]),
    "list among texts": ({"text": ["a", ["b"]]}, ["/text/1"]),
    "no texts": ({"text": []}, ["/text"]),
    "number among tokens": ({"tokens": [["a", "b"], ["c", 1]]}, ["/tokens/1/1"]),
    "mixed tokens": ({"tokens": ["a", ["b"]]}, ["/tokens"]),
    "empty token": ({"tokens": ["a", ""]}, ["/tokens/1"]),
    "empty token in a list": ({"tokens": [["a"], ["b", ""]]}, ["/tokens/1/1"]),
    "unknown field": ({"text": "a", "lables": []}, ["/lables"]),
    "unknown field with odd name": ({"text": "a", "a/b~c": 1}, ["/a~1b~0c"]),
    "unknown label": ({"text": "a", "labels": ["PER", "DRAGON"]}, ["/labels/1"]),
    "labels no list": ({"text": "a", "labels": "PER"}, ["/labels"]),
    "score above 1": ({"text": "a", "min_score": 1.5}, ["/min_score"]),
    "score below 0": ({"text": "a", "min_score": -0.1}, ["/min_score"]),
    "score a string": ({"text": "a", "min_score": "0.5"}, ["/min_score"]),
    "unknown include": ({"text": "a", "include": ["tokens", "vectors"]}, ["/include/1"]),
    "model a number": ({"text": "a", "model": 1}, ["/model"]),
    "a hundred thousand empty tokens": ({"tokens": [""] * 100_000}, [f"/tokens/{index}" for index in range(16)]),
}


@pytest.mark.parametrize(("body", "pointers"), INVALID.values(), ids=INVALID)
def test_invalid_request(server: Served, body: object, pointers: list[str]) -> None:
    problem = check_problem(server.post(body), 422, "invalid_request")
    assert [field["pointer"] for field in problem["errors"]] == pointers


def test_number_out_of_range_is_well_formed(server: Served) -> None:
    check_problem(server.post(b'{"text": "a", "min_score": 1e999}'), 422, "invalid_request")


def test_too_many_texts(server: Served) -> None:
    problem = check_problem(server.post({"text": [""] * 100_000}), 422, "too_many_texts")
    assert problem["errors"][0]["pointer"] == "/text"
    assert "1024" in problem["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"text": "a " * 20_001}, "/text"),
        ({"text": ["fine", "a " * 20_001]}, "/text/1"),
        ({"tokens": ["a"] * 20_001}, "/tokens"),
        ({"tokens": [["a"], ["a"] * 20_001]}, "/tokens/1"),
        ({"text": ["a " * 19_000] * 6}, "/text"),
    ],
    ids=["one text", "one of two", "tokens", "one of two token lists", "all texts together"],
)
def test_text_too_long(server: Served, body: object, pointer: str) -> None:
    problem = check_problem(server.post(body), 422, "text_too_long")
    assert problem["errors"][0]["pointer"] == pointer
    assert "20000" in problem["detail"] or "100000" in problem["detail"]


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v1/tags", "/v1/tag/", "/favicon.ico", "/%00", "/v1/%ff"])
def test_not_found(server: Served, path: str) -> None:
    check_problem(server.get(path), 404, "not_found")


def test_model_not_found(server: Served) -> None:
    check_problem(server.post({"text": "a", "model": "ner-xx"}), 404, "model_not_found")
    check_problem(server.get("/v1/models/ner-xx"), 404, "model_not_found")


def test_task_mismatch(server: Served) -> None:
    check_problem(server.post({"text": "a", "model": "tiny-lm"}), 409, "task_mismatch")
    assert server.post({"text": "a"}).json()["model"] == "tiny-ner"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/v1/tag", "POST"), ("POST", "/v1/models", "GET"), ("DELETE", "/healthz", "GET")],
)
def test_method_not_allowed(server: Served, method: str, path: str, allowed: str) -> None:
    reply = server.request(method, path)
    check_problem(reply, 405, "method_not_allowed")
    assert allowed in reply.headers["Allow"].split(", ")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/v1/tag", "OPTIONS, POST"), ("/v1/models", "GET, HEAD, OPTIONS"), ("/readyz", "GET, HEAD, OPTIONS")],
)
def test_options(server: Served, path: str, allowed: str) -> None:
    reply = server.request("OPTIONS", path)
    assert (reply.status, reply.body) == (200, b"")
    assert ", ".join(sorted(reply.headers["Allow"].split(", "))) == allowed


@pytest.mark.parametrize(
    ("path", "status"),
    [("/healthz", 200), ("/v1/models", 200), ("/openapi.json", 200), ("/v1/tag", 405), ("/nothing", 404)],
)
def test_head_is_get_without_the_body(server: Served, path: str, status: int) -> None:
    head, get = server.request("HEAD", path), server.get(path)
    assert (head.status, head.body) == (status, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    assert head.headers["X-Request-Id"]
    if status == 200:
        assert head.headers["Content-Length"] == str(len(get.body))


def test_unauthorized(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", SEQSERVE_API_KEYS="first-key, second-key")
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "first-key"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic first-key"},
    ):
        reply = server.post(FINE, headers=headers)
        check_problem(reply, 401, "unauthorized")
        assert reply.headers["WWW-Authenticate"] == "Bearer"
    for path in ("score", "rank", "sample", "classify", "transduce"):
        check_problem(server.post({}, path=f"/v1/{path}"), 401, "unauthorized")
    check_problem(server.post({"stream": True}, path="/v1/sample"), 401, "unauthorized")
    check_problem(server.get("/v1/models"), 401, "unauthorized")
    check_problem(server.get("/v1/nothing"), 401, "unauthorized")
    for key in ("first-key", "second-key"):
        assert server.post(FINE, headers={"Authorization": f"Bearer {key}"}).status == 200
    assert server.get("/healthz").status == server.get("/openapi.json").status == server.get("/metrics").status == 200
    assert "first-key" not in server.log


def test_any_bearer_is_accepted_without_keys(server: Served) -> None:
    assert server.post(FINE, headers={"Authorization": "Bearer whatever"}).status == 200


def test_internal_error_is_logged_and_not_told(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", script=BROKEN)
    workers = server.workers
    problem = check_problem(server.post({"text": "secret text"}, headers={"X-Request-Id": "req-7"}), 500, "internal")
    assert "melted" not in json.dumps(problem)
    assert wait_until(lambda: "the graph melted" in server.log and "req-7" in server.log, FAR_S)
    assert "secret" not in server.log
    for path, body in (("/v1/score", {"text": "a"}), ("/v1/rank", {"candidates": ["a", "b"]})):
        reply = server.post({**body, "model": "tiny-lm"}, path=path)
        check_problem(reply, 500, "internal")
        assert "melted" not in reply.body.decode()
    assert server.get("/readyz").status == 200
    assert server.workers == workers


def test_overloaded(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--max-queue-tokens", "50", script=("-m", "tests.live.slow_server"))
    check_one_is_refused(server, "/v1/tag", {"text": "a " * 30})
    check_one_is_refused(server, "/v1/score", {"text": "a " * 30, "model": "tiny-lm"})


def test_deadline_exceeded(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--deadline-s", "0.000001")
    check_problem(server.post(FINE), 504, "deadline_exceeded")
    check_problem(server.post({"text": "the cat", "model": "tiny-lm"}, path="/v1/score"), 504, "deadline_exceeded")
    assert server.get("/readyz").status == 200
