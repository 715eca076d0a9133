"""POST /v1/transduce through a real server."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live.problems import check_problem
from tests.live.served import Reply, Served
from tests.seqserve.tiny_transducer import KNOWN


def transduce(server: Served, **body: object) -> Reply:
    """Send a body to /v1/transduce."""
    return server.post(body, path="/v1/transduce")


def test_each_of_many_clients_gets_its_own_answer(server: Served) -> None:
    texts = list(KNOWN)
    bodies = [{"text": texts[number % len(texts)], "beams": 1 + number % 5} for number in range(32)]
    alone = [transduce(server, **body).body for body in bodies]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda body: transduce(server, **body).body, bodies))
    assert together == alone
    answers = transduce(server, text=texts, beams=3).json()["results"]
    assert [answer["text"] for answer in answers] == list(KNOWN.values())


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"text": "Tom", "model": "tiny-ner"}, 409, "task_mismatch"),
        ({"text": "Tom", "model": "none"}, 404, "model_not_found"),
        ({"text": "Tom", "beams": 17}, 422, "invalid_request"),
        ({"text": "Tom", "temperature": 1}, 422, "invalid_request"),
        ({"text": []}, 422, "invalid_request"),
        ({"text": "a " * 13}, 422, "text_too_long"),
    ],
)
def test_what_is_refused(server: Served, body: dict[str, object], status: int, code: str) -> None:
    check_problem(transduce(server, **body), status, code)
