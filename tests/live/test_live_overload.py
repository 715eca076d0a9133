"""More requests than the server takes: those that are in are answered right, the others refused at once."""

import http.client
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live.problems import FINE, check_problem
from tests.live.served import Reply, Served

SLOW = ("-m", "tests.live.slow_server")
JSON = {"Content-Type": "application/json"}


def crowd(server: Served, size: int) -> list[Reply]:
    """Send as many requests at a time."""
    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(lambda _: server.post(FINE), range(size)))


def test_of_too_many_requests_some_are_answered_right_and_the_rest_refused(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--max-requests", "4", "--client-share", "1", script=SLOW)
    alone = server.post(FINE)
    assert alone.status == 200
    for _ in range(2):
        replies = crowd(server, 24)
        answered = [reply for reply in replies if reply.status == 200]
        assert len(answered) >= 4
        assert len(answered) < len(replies), "nothing was refused"
        assert {reply.body for reply in answered} == {alone.body}
        for reply in replies:
            if reply.status != 200:
                check_problem(reply, 503, "overloaded")
                assert int(reply.headers["Retry-After"]) >= 1
    assert server.post(FINE).body == alone.body


@pytest.fixture(scope="module")
def one_at_a_time(serve_module: Callable[..., Served]) -> Served:
    """A slow server that answers one request at a time."""
    return serve_module("--workers", "1", "--max-requests", "1", script=SLOW)


def test_probes_and_metrics_answer_while_requests_are_refused(one_at_a_time: Served) -> None:
    with ThreadPoolExecutor(8) as pool:
        held = [pool.submit(one_at_a_time.post, FINE) for _ in range(8)]
        for path in ("/healthz", "/readyz", "/metrics"):
            assert one_at_a_time.get(path).status == 200
        statuses = {each.result().status for each in held}
    assert statuses <= {200, 503}
    assert 200 in statuses


def test_a_refused_client_may_ask_again_on_its_connection(one_at_a_time: Served) -> None:
    alone = one_at_a_time.post(FINE)
    data = json.dumps(FINE)
    connection = http.client.HTTPConnection("127.0.0.1", one_at_a_time.port, timeout=60)
    try:
        statuses = []
        with ThreadPoolExecutor(1) as pool:
            held = pool.submit(one_at_a_time.post, FINE)
            while not statuses or statuses[-1] != 503:  # refused as soon as the other one is in
                connection.request("POST", "/v1/tag", data, JSON)
                answer = connection.getresponse()
                statuses.append(answer.status)
                body = answer.read()
                assert statuses[-1] == 503 or body == alone.body
                if held.done():
                    held = pool.submit(one_at_a_time.post, FINE)
            held.result()
        connection.request("POST", "/v1/tag", data, JSON)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, alone.body)
    finally:
        connection.close()
