"""POST /v1/rank through a real server."""

import math
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.live.problems import check_problem
from tests.live.served import Reply, Served

WORD, CHARACTER = "tiny-lm", "tiny-char-lm"
CANDIDATES = ["the cat sat .", "", "qxzzv", {"text": "the dog sat", "score": -2.5}, "the cat sat .", "\0 😀 e\u0301"]


def rank(server: Served, body: object) -> Reply:
    """Send a body to /v1/rank."""
    return server.post(body, path="/v1/rank")


def ranking(server: Served, **body: object) -> list[dict[str, Any]]:
    """Send a request that must be answered and return its ranking."""
    reply = rank(server, body)
    assert reply.status == 200, reply.body[:300]
    answer = reply.json()
    assert answer["best"] == answer["ranking"][0]["index"]
    found: list[dict[str, Any]] = answer["ranking"]
    return found


@pytest.mark.parametrize("model", [WORD, CHARACTER])
@pytest.mark.parametrize("normalize", ["none", "tokens"])
def test_totals_follow_from_the_parts(server: Served, model: str, normalize: str) -> None:
    found = ranking(
        server, candidates=CANDIDATES, context="the", model=model, lm_weight=0.7, length_bonus=0.3, normalize=normalize
    )
    assert sorted(item["index"] for item in found) == list(range(len(CANDIDATES)))
    for item in found:
        lm = item["log_prob"] / max(1, item["num_tokens"]) if normalize == "tokens" else item["log_prob"]
        assert item["total"] == pytest.approx(item["score"] + 0.7 * lm + 0.3 * item["num_tokens"], rel=1e-12)
        assert math.isfinite(item["total"])
    assert math.fsum(item["posterior"] for item in found) == pytest.approx(1, abs=1e-12)
    totals = [item["total"] for item in found]
    assert totals == sorted(totals, reverse=True)


def test_log_probs_are_those_of_score(server: Served) -> None:
    found = ranking(server, candidates=CANDIDATES, context="the cat", model=WORD)
    texts = [item["text"] for item in sorted(found, key=lambda item: item["index"])]
    scored = server.post({"text": texts, "context": "the cat", "model": WORD}, path="/v1/score").json()["results"]
    by_index = {item["index"]: item for item in found}
    for index, result in enumerate(scored):
        for name in ("log_prob", "num_tokens", "num_unknown"):
            assert by_index[index][name] == result[name]


def test_equal_candidates_keep_their_order(server: Served) -> None:
    found = ranking(server, candidates=["the cat"] * 20, model=WORD)
    assert [item["index"] for item in found] == list(range(20))
    assert {item["posterior"] for item in found} == {found[0]["posterior"]}


def test_the_order_of_candidates_changes_nothing_else(server: Served) -> None:
    texts = [" ".join(["the", "cat", "sat", ".", "dog"][: 1 + number % 5] * (1 + number // 5)) for number in range(40)]
    shuffled = random.Random(1).sample(texts, len(texts))
    one = {item["text"]: item["total"] for item in ranking(server, candidates=texts, model=WORD)}
    other = {item["text"]: item["total"] for item in ranking(server, candidates=shuffled, model=WORD)}
    assert one == other


def test_a_thousand_candidates(server: Served) -> None:
    found = ranking(server, candidates=[f"the cat {number}" for number in range(1000)], model=WORD)
    assert len(found) == 1000


def test_answers_are_the_same_alone_and_at_once(server: Served) -> None:
    bodies = [{"candidates": ["the " * (1 + number), "cat sat"], "model": WORD} for number in range(24)]
    alone = [rank(server, body).body for body in bodies]
    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(lambda body: rank(server, body).body, bodies)) == alone


INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, ""),
    "no candidates": ({"candidates": []}, "/candidates"),
    "one candidate": ({"candidates": ["a"]}, "/candidates"),
    "too many": ({"candidates": ["a"] * 1001}, "/candidates"),
    "a string": ({"candidates": "ab"}, "/candidates"),
    "a number among them": ({"candidates": ["a", 1]}, "/candidates/1"),
    "null among them": ({"candidates": ["a", None]}, "/candidates/1"),
    "one without text": ({"candidates": ["a", {"score": 1}]}, "/candidates/1"),
    "a score that is a string": ({"candidates": ["a", {"text": "b", "score": "1"}]}, "/candidates/1/score"),
    "an unknown field in one": ({"candidates": ["a", {"text": "b", "am": 1}]}, "/candidates/1/am"),
    "context a list": ({"candidates": ["a", "b"], "context": ["a"]}, "/context"),
    "weight a string": ({"candidates": ["a", "b"], "lm_weight": "1"}, "/lm_weight"),
    "bonus null": ({"candidates": ["a", "b"], "length_bonus": None}, "/length_bonus"),
    "unknown normalize": ({"candidates": ["a", "b"], "normalize": "words"}, "/normalize"),
    "unknown field": ({"candidates": ["a", "b"], "eos": True}, "/eos"),
    "totals that overflow": ({"candidates": ["the cat", "a b c"], "lm_weight": 1e308}, "/candidates/0"),
    "scores that overflow": (
        {"candidates": ["a", {"text": "the", "score": 1.7e308}], "length_bonus": 1.7e308, "lm_weight": 0},
        "/candidates/0",
    ),
}


@pytest.mark.parametrize(("body", "pointer"), INVALID.values(), ids=INVALID)
def test_invalid_request(server: Served, body: dict[str, Any], pointer: str) -> None:
    problem = check_problem(rank(server, {**body, "model": WORD}), 422, "invalid_request")
    assert [field["pointer"] for field in problem["errors"]] == [pointer]


@pytest.mark.parametrize(
    "body",
    [
        b'{"candidates": ["a", {"text": "b", "score": NaN}]}',
        b'{"candidates": ["a", {"text": "b", "score": -Infinity}]}',
        b'{"candidates": ["a", "b"], "lm_weight": Infinity}',
        b'{"candidates": ["a", "\\udc00"]}',
        b'{"candidates": ["a"',
    ],
)
def test_malformed_json(server: Served, body: bytes) -> None:
    check_problem(rank(server, body), 400, "malformed_json")


def test_number_out_of_range_is_well_formed(server: Served) -> None:
    check_problem(rank(server, b'{"candidates": ["a", "b"], "lm_weight": 1e999}'), 422, "invalid_request")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"candidates": ["a", "a " * 20_001]}, "/candidates/1"),
        ({"candidates": ["a", {"text": "a " * 20_001}]}, "/candidates/1/text"),
        ({"candidates": ["a", "b"], "context": "a " * 20_001}, "/context"),
        ({"candidates": ["a " * 19_000] * 6}, "/candidates"),
    ],
    ids=["candidate", "candidate with a score", "context", "all together"],
)
def test_text_too_long(server: Served, body: dict[str, Any], pointer: str) -> None:
    problem = check_problem(rank(server, {**body, "model": WORD}), 422, "text_too_long")
    assert problem["errors"][0]["pointer"] == pointer


def test_other_errors(server: Served) -> None:
    body = {"candidates": ["a", "b"]}
    check_problem(rank(server, {**body, "model": "lm-xx"}), 404, "model_not_found")
    check_problem(rank(server, {**body, "model": "tiny-ner"}), 409, "task_mismatch")
    check_problem(server.get("/v1/rank"), 405, "method_not_allowed")
