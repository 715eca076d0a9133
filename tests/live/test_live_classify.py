"""POST /v1/classify through a real server."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live.problems import check_problem
from tests.live.served import Reply, Served

MODEL = "tiny-classifier"


def classify(server: Served, text: object) -> Reply:
    return server.post({"text": text, "model": MODEL}, path="/v1/classify")


def test_answers_are_the_same_alone_and_at_once(server: Served) -> None:
    words = ["where", "is", "the", "cat", "who", "has", "seen", "my", "dog"]
    texts = [" ".join(words[number % 5 : 1 + number % 9 + number % 5]) for number in range(48)]
    alone = [classify(server, text).body for text in texts]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda text: classify(server, text).body, texts)) == alone


@pytest.mark.parametrize(
    "text", ["\ud7fb", "👩‍👩‍👧‍👦", "e" + "\u0301" * 500, "اسمي", "x" * 100_000, "<UNK>"], ids=ascii
)
def test_whatever_text_has_probabilities(server: Served, text: str) -> None:
    reply = classify(server, text)
    assert reply.status == 200, reply.body[:300]
    scores = reply.json()["results"][0]["scores"]
    assert sum(scores.values()) == pytest.approx(1, abs=2e-6)


def test_errors_have_the_one_shape(server: Served) -> None:
    check_problem(classify(server, []), 422, "invalid_request")
    check_problem(classify(server, ""), 422, "invalid_request")
    check_problem(classify(server, "a " * 13), 422, "text_too_long")
    check_problem(server.post({"text": "a", "model": "tiny-ner"}, path="/v1/classify"), 409, "task_mismatch")
    check_problem(server.post({"text": "a", "model": MODEL}, path="/v1/tag"), 409, "task_mismatch")


def test_the_metrics_count_its_tokens(server: Served) -> None:
    assert classify(server, "where is the cat").status == 200
    assert 'seqserve_tokens_classified_total{model="tiny-classifier"}' in server.get("/metrics").body.decode()
