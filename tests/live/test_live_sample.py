"""POST /v1/sample through a real server: the same text under load, streams, clients that leave, errors."""

import http.client
import json
import math
import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.live.problems import check_problem
from tests.live.sampling import FAR_S, SLOW, TOYS, events_of, metric, sample, samples, streaming, wait_for_active
from tests.live.served import Served
from tests.live.test_live_tag import TEXTS

SERVER = "toy_server"


BODIES: dict[str, dict[str, Any]] = {
    "words": {"model": "toy-word", "seed": 5, "n": 4, "include": ["tokens"]},
    "after a prompt": {"model": "toy-word", "seed": 6, "n": 3, "prompt": "the cat sat " * 40, "temperature": 1.5},
    "characters": {"model": "toy-character", "seed": 2**64 - 1, "n": 2, "max_tokens": 200, "top_k": 4},
    "stop strings": {"model": "toy-character", "seed": 7, "n": 8, "max_tokens": 300, "stop": ["aab", "\n\n"]},
    "a real word model": {"model": "tiny-lm", "seed": 9, "n": 5, "prompt": "the old", "include": ["tokens"]},
    "a real character model": {"model": "tiny-char-lm", "seed": 10, "n": 3, "max_tokens": 150, "stop": [" the"]},
    "a real model, cut": {"model": "tiny-lm", "seed": 11, "n": 3, "top_p": 0.9, "min_p": 0.01, "top_k": 20},
    "repetition": {"model": "toy-word", "seed": 8, "repetition_penalty": 1.4, "min_tokens": 9, "max_tokens": 60},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_both_workers_give_the_same_bytes(server: Served, body: dict[str, Any]) -> None:
    assert len({sample(server, body).body for _ in range(8)}) == 1


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_stream_is_the_answer_in_pieces(server: Served, body: dict[str, Any]) -> None:
    whole = samples(server, **body)
    reply = sample(server, {**body, "stream": True})
    assert reply.headers["Content-Type"].startswith("text/event-stream")
    assert reply.headers["Transfer-Encoding"] == "chunked"
    assert (reply.headers["Cache-Control"], reply.headers["X-Accel-Buffering"]) == ("no-cache", "no")
    assert reply.headers["X-Seed"] == str(body["seed"])
    *events, done = events_of(reply.body)
    assert done == "[DONE]"
    for index, item in enumerate(whole):
        *pieces, end = [event for event in events if event["index"] == index]
        assert "".join(piece["text"] for piece in pieces) == item["text"]
        assert {name: end[name] for name in ("finish_reason", "num_tokens", "log_prob")} == {
            name: item[name] for name in ("finish_reason", "num_tokens", "log_prob")
        }


def test_samples_are_the_same_in_a_crowd_as_alone(server: Served) -> None:
    alone = {name: sample(server, body).body for name, body in BODIES.items()}
    streamed = {
        name: sorted(events_of(sample(server, {**body, "stream": True}).body), key=by_index)
        for name, body in BODIES.items()
    }

    def client(number: int) -> bool:
        name = list(BODIES)[number % len(BODIES)]
        if number % 2:
            return sample(server, BODIES[name]).body == alone[name]
        found = events_of(sample(server, {**BODIES[name], "stream": True}).body)
        return sorted(found, key=by_index) == streamed[name]

    with ThreadPoolExecutor(24) as pool:
        assert all(pool.map(client, range(96)))


def by_index(event: Any) -> float:
    """Sort key that keeps each sample's events in order."""
    return math.inf if event == "[DONE]" else event["index"]


@pytest.fixture(scope="module")
def single(serve_module: Callable[..., Served]) -> Served:
    """A server of one worker, which every request reaches."""
    return serve_module("--workers", "1", script=TOYS)


def test_pieces_come_while_the_rest_is_drawn(single: Served) -> None:
    before = metric(single, "seqserve_tokens_sampled_total", "toy-slow")
    with streaming(single, **SLOW, max_tokens=100) as answer:
        first = answer.readline()
        assert json.loads(first.removeprefix(b"data: "))["index"] == 0
        assert metric(single, "seqserve_tokens_sampled_total", "toy-slow") - before < 100
        assert events_of(first + answer.read())[-1] == "[DONE]"


def test_a_short_sample_does_not_wait_for_long_ones(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--max-samples", "2", script=TOYS)
    with streaming(server, **SLOW, n=8, max_tokens=4096):
        wait_for_active(server, "toy-slow", lambda number: number == 2)
        assert samples(server, **SLOW, max_tokens=2)[0]["num_tokens"] == 2
        wait_for_active(server, "toy-slow", lambda number: number == 2)


LEAVING = {
    "closes": lambda client: client.close(),
    "resets": lambda client: (
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
        client.close(),
    ),
}


@pytest.mark.parametrize("streams", [False, True], ids=["at once", "streamed"])
@pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING)
def test_a_client_that_goes_away_frees_its_slot_within_16_tokens(
    single: Served, leave: Callable[[socket.socket], object], streams: bool
) -> None:
    body = json.dumps({**SLOW, "max_tokens": 4096, "stream": streams}).encode()
    head = (
        f"POST /v1/sample HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    client = socket.create_connection(("127.0.0.1", single.port), timeout=FAR_S)
    client.sendall(head.encode() + body)
    wait_for_active(single, "toy-slow", lambda number: number == 1)
    leave(client)
    before = metric(single, "seqserve_tokens_sampled_total", "toy-slow")
    wait_for_active(single, "toy-slow", lambda number: number == 0)
    assert metric(single, "seqserve_tokens_sampled_total", "toy-slow") - before <= 16
    assert "Traceback" not in single.log
    assert samples(single, **SLOW, max_tokens=2)


def test_a_stream_that_is_running_ends_well_when_the_server_is_told_to_stop(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", script=TOYS)
    with streaming(server, **SLOW, max_tokens=60) as answer:
        first = answer.readline()
        stopped = threading.Thread(target=server.stop)
        stopped.start()
        events = events_of(first + answer.read())
        stopped.join()
    assert events[-1] == "[DONE]"
    assert (events[-2]["num_tokens"], events[-2]["finish_reason"]) == (60, "length")
    assert server.process.returncode == 0, server.log


@pytest.mark.parametrize("model", ["toy-word", "toy-character"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_prompts_of_all_kinds(server: Served, text: str, model: str) -> None:
    reply = sample(server, {"model": model, "prompt": text, "max_tokens": 5, "seed": 1, "include": ["tokens"]})
    if reply.status == 422:
        check_problem(reply, 422, "text_too_long")
    else:
        assert reply.status == 200, reply.body[:300]
        (found,) = reply.json()["samples"]
        assert all(math.isfinite(token["log_prob"]) and token["log_prob"] <= 0 for token in found["tokens"])


@given(st.text(max_size=200), st.lists(st.text(min_size=1, max_size=5), max_size=8), st.integers(0, 2**64 - 1))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_prompt_and_stop_strings(server: Served, prompt: str, stop: list[str], seed: int) -> None:
    body = {"model": "toy-character", "prompt": prompt, "stop": stop, "seed": seed, "max_tokens": 30, "n": 2}
    whole = samples(server, **body)
    events = events_of(sample(server, {**body, "stream": True}).body)
    for index, item in enumerate(whole):
        assert not any(text in item["text"] for text in stop)
        own = [event for event in events[:-1] if event["index"] == index]
        assert "".join(event.get("text", "") for event in own) == item["text"]


def test_clients_of_http_1_0_get_the_stream_too(server: Served) -> None:
    body = json.dumps({"model": "toy-word", "seed": 1, "stream": True}).encode()
    head = f"POST /v1/sample HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=FAR_S) as client:
        client.sendall(head.encode() + body)
        data = b"".join(iter(lambda: client.recv(65_536), b""))
    answer_head, _, answer = data.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in answer_head.lower()
    assert events_of(answer) == events_of(sample(server, body).body)


def test_a_connection_goes_on_after_a_stream(server: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=FAR_S)
    bodies = set()
    for _ in range(3):
        data = json.dumps({"model": "toy-word", "seed": 1, "stream": True})
        connection.request("POST", "/v1/sample", data, {"Content-Type": "application/json"})
        bodies.add(connection.getresponse().read())
    connection.close()
    assert len(bodies) == 1
