"""POST /v1/score and /v1/rank around a toy model: what is refused, and what the answers look like."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from seqserve.language.model import ScoredRow, ScoreRow
from seqserve.service.engine.batching.batcher import Batcher
from seqserve.service.engine.models import LanguageModel
from tests.service.toys import open_toy

MakeApp = Callable[..., Flask]


@pytest.fixture
def client(make_app: MakeApp) -> FlaskClient:
    """A server with a tagger, a word model and a character model of running text."""
    return make_app(models=[open_toy(), open_toy("character", ends_sentences=False)]).test_client()


def test_the_shape_of_an_answer(client: FlaskClient) -> None:
    reply = client.post("/v1/score", json={"text": "the dog", "include": ["tokens"], "top": 2, "model": "toy-word"})
    assert reply.status_code == 200
    assert list(reply.json) == ["model", "version", "results"]
    (result,) = reply.json["results"]
    assert list(result) == [
        "log_prob",
        "log10_prob",
        "prob",
        "num_tokens",
        "num_unknown",
        "perplexity",
        "perplexity_known",
        "tokens",
    ]
    for token in result["tokens"]:
        assert list(token) == ["text", "start", "end", "log_prob", "rank", "is_unknown", "top"]
        assert [list(item) for item in token["top"]] == [["text", "log_prob"]] * 2


def test_tokens_and_alternatives_are_absent_unless_asked_for(client: FlaskClient) -> None:
    (plain,) = client.post("/v1/score", json={"text": "the", "model": "toy-word"}).json["results"]
    (tokens,) = client.post("/v1/score", json={"text": "the", "model": "toy-word", "include": ["tokens"]}).json[
        "results"
    ]
    assert "tokens" not in plain
    assert all("top" not in token for token in tokens["tokens"])
    assert {key: value for key, value in tokens.items() if key != "tokens"} == plain


def test_results_come_in_the_order_of_the_texts_and_contexts(client: FlaskClient) -> None:
    body = {"text": ["the", "", "cat sat"], "context": ["", "the", "."], "model": "toy-word", "include": ["tokens"]}
    together = client.post("/v1/score", json=body).json["results"]
    alone = [
        client.post("/v1/score", json={**body, "text": text, "context": context}).json["results"][0]
        for text, context in zip(body["text"], body["context"], strict=True)
    ]
    assert together == alone


def test_one_context_is_that_of_all_texts(client: FlaskClient) -> None:
    body = {"text": ["the", "cat"], "model": "toy-word"}
    one = client.post("/v1/score", json={**body, "context": "sat ."})
    each = client.post("/v1/score", json={**body, "context": ["sat .", "sat ."]})
    assert one.data == each.data
    assert one.data != client.post("/v1/score", json=body).data


def test_eos_is_counted_by_default_where_it_was_learned(client: FlaskClient) -> None:
    def num_tokens(**given: object) -> int:
        found: int = client.post("/v1/score", json={"text": "a", **given}).json["results"][0]["num_tokens"]
        return found

    assert [num_tokens(model="toy-word", **extra) for extra in ({}, {"eos": True}, {"eos": False})] == [2, 2, 1]
    assert [num_tokens(model="toy-character", **extra) for extra in ({}, {"eos": None}, {"eos": False})] == [1, 1, 1]


def test_without_a_name_the_first_language_model_answers(client: FlaskClient) -> None:
    assert client.post("/v1/score", json={"text": "a"}).json["model"] == "toy-character"
    assert client.post("/v1/rank", json={"candidates": ["a", "b"]}).json["model"] == "toy-character"


INVALID: dict[str, tuple[str, dict[str, Any], str]] = {
    "no text": ("score", {}, ""),
    "no texts": ("score", {"text": []}, "/text"),
    "number among texts": ("score", {"text": ["a", 1]}, "/text/1"),
    "null text": ("score", {"text": None}, "/text"),
    "context a number": ("score", {"text": "a", "context": 1}, "/context"),
    "too few contexts": ("score", {"text": ["a", "b"], "context": ["a"]}, "/context"),
    "two contexts, one text": ("score", {"text": "a", "context": ["a", "b"]}, "/context"),
    "eos a string": ("score", {"text": "a", "eos": "yes"}, "/eos"),
    "eos of running text": ("score", {"text": "a", "eos": True, "model": "toy-character"}, "/eos"),
    "unknown include": ("score", {"text": "a", "include": ["tag_probs"]}, "/include/0"),
    "top without tokens": ("score", {"text": "a", "top": 3}, "/top"),
    "top too large": ("score", {"text": "a", "include": ["tokens"], "top": 21}, "/top"),
    "top below 0": ("score", {"text": "a", "include": ["tokens"], "top": -1}, "/top"),
    "top a fraction": ("score", {"text": "a", "include": ["tokens"], "top": 1.5}, "/top"),
    "unknown field": ("score", {"text": "a", "temperature": 1}, "/temperature"),
    "no candidates": ("rank", {}, ""),
    "one candidate": ("rank", {"candidates": ["a"]}, "/candidates"),
    "too many candidates": ("rank", {"candidates": ["a"] * 1001}, "/candidates"),
    "number among candidates": ("rank", {"candidates": ["a", 1]}, "/candidates/1"),
    "candidate without text": ("rank", {"candidates": ["a", {"score": 1}]}, "/candidates/1"),
    "score a string": ("rank", {"candidates": ["a", {"text": "b", "score": "1"}]}, "/candidates/1/score"),
    "unknown field of a candidate": ("rank", {"candidates": ["a", {"text": "b", "am": 1}]}, "/candidates/1/am"),
    "context a list": ("rank", {"candidates": ["a", "b"], "context": ["a"]}, "/context"),
    "unknown normalize": ("rank", {"candidates": ["a", "b"], "normalize": "length"}, "/normalize"),
    "weight a string": ("rank", {"candidates": ["a", "b"], "lm_weight": "1"}, "/lm_weight"),
    "unknown field of rank": ("rank", {"candidates": ["a", "b"], "eos": False}, "/eos"),
    "not finite": ("rank", {"candidates": ["b", "a a"], "lm_weight": 1e308}, "/candidates/0"),
}


@pytest.mark.parametrize(("route", "body", "pointer"), INVALID.values(), ids=INVALID)
def test_invalid_requests(client: FlaskClient, route: str, body: dict[str, Any], pointer: str) -> None:
    reply = client.post(f"/v1/{route}", json=body)
    assert (reply.status_code, reply.json["code"]) == (422, "invalid_request"), reply.json
    assert [field["pointer"] for field in reply.json["errors"]] == [pointer]


@pytest.mark.parametrize(("route", "body"), [("score", {"text": "a"}), ("rank", {"candidates": ["a", "b"]})])
def test_a_tagger_is_a_mismatch(client: FlaskClient, route: str, body: dict[str, Any]) -> None:
    reply = client.post(f"/v1/{route}", json={**body, "model": "tiny-ner"})
    assert (reply.status_code, reply.json["code"]) == (409, "task_mismatch")
    reply = client.post(f"/v1/{route}", json={**body, "model": "none"})
    assert (reply.status_code, reply.json["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(("route", "body"), [("score", {"text": "a"}), ("rank", {"candidates": ["a", "b"]})])
def test_without_a_language_model_there_is_none_to_ask(make_app: MakeApp, route: str, body: dict[str, Any]) -> None:
    reply = make_app().test_client().post(f"/v1/{route}", json=body)
    assert (reply.status_code, reply.json["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("route", "body", "code", "pointer"),
    [
        ("score", {"text": "a" * 6}, "text_too_long", "/text"),
        ("score", {"text": ["a", "a" * 6]}, "text_too_long", "/text/1"),
        ("score", {"text": "a", "context": "a" * 6}, "text_too_long", "/context"),
        ("score", {"text": ["a", "a"], "context": ["", "a" * 6]}, "text_too_long", "/context/1"),
        ("score", {"text": ["a" * 5] * 3, "context": "a" * 5}, "text_too_long", "/text"),
        ("score", {"text": ["a"] * 4}, "too_many_texts", "/text"),
        ("rank", {"candidates": ["a", "a" * 6]}, "text_too_long", "/candidates/1"),
        ("rank", {"candidates": ["a"] * 4}, "too_many_texts", "/candidates"),
    ],
)
def test_limits(make_app: MakeApp, route: str, body: dict[str, Any], code: str, pointer: str) -> None:
    toy = open_toy("character", ends_sentences=False)
    client = make_app(models=[toy], max_tokens=5, max_queue_tokens=16, max_texts=3).test_client()
    reply = client.post(f"/v1/{route}", json=body)
    assert (reply.status_code, reply.json["code"]) == (422, code), reply.json
    assert reply.json["errors"][0]["pointer"] == pointer
    assert reply.json["detail"].startswith(f"{pointer}: ")


def with_run(model: LanguageModel, run: Callable[[list[ScoreRow]], list[ScoredRow]], **options: int) -> LanguageModel:
    """The model with another function in the place of its graph."""
    batcher = Batcher(run, max_queue_tokens=options.get("max_queue_tokens", 100_000))
    return LanguageModel(model.provider, model.bundle, batcher, model.decoder)


def test_a_failing_run_is_one_request_not_the_next(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    toy = open_toy()
    fails = [True]

    def run(rows: list[ScoreRow]) -> list[ScoredRow]:
        if fails.pop():
            raise RuntimeError("the graph melted")
        fails.append(False)
        return toy.bundle.run_score(rows)

    fails.insert(0, False)
    client = make_app(models=[with_run(toy, run)]).test_client()
    reply = client.post("/v1/score", json={"text": "the"})
    assert (reply.status_code, reply.json["code"]) == (500, "internal")
    assert "melted" not in reply.text
    assert "the graph melted" in caplog.text
    assert client.post("/v1/score", json={"text": "the"}).status_code == 200


def test_a_full_queue_is_refused_while_another_runs(make_app: MakeApp) -> None:
    toy = open_toy()
    entered, go_on = threading.Event(), threading.Event()

    def run(rows: list[ScoreRow]) -> list[ScoredRow]:
        entered.set()
        go_on.wait(60)
        return toy.bundle.run_score(rows)

    app = make_app(models=[with_run(toy, run, max_queue_tokens=4)])
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: app.test_client().post("/v1/score", json={"text": "the cat"}))
        assert entered.wait(60)
        reply = app.test_client().post("/v1/score", json={"text": "the cat"})
        go_on.set()
        assert first.result().status_code == 200
    assert (reply.status_code, reply.json["code"]) == (503, "overloaded")
    assert int(reply.headers["Retry-After"]) >= 1
    assert app.test_client().post("/v1/score", json={"text": "the cat"}).status_code == 200


def test_a_passed_deadline(make_app: MakeApp) -> None:
    client = make_app(models=[open_toy()], deadline_s=1e-9).test_client()
    for route, body in (("score", {"text": "the"}), ("rank", {"candidates": ["the", "cat"]})):
        reply = client.post(f"/v1/{route}", json=body)
        assert (reply.status_code, reply.json["code"]) == (504, "deadline_exceeded")


def test_concurrent_clients_get_their_own_answers(client: FlaskClient) -> None:
    texts = [" ".join(["the", "cat", "dog", "sat"][: number % 4 + 1] * (number % 5 + 1)) for number in range(32)]
    bodies = [
        {"text": text, "model": "toy-word", "include": ["tokens"] if number % 2 else [], "top": 3 * (number % 2)}
        for number, text in enumerate(texts)
    ]
    alone = [client.post("/v1/score", json=body).data for body in bodies]
    application = client.application
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda body: application.test_client().post("/v1/score", json=body).data, bodies))
    assert together == alone


def test_scored_tokens_are_counted(client: FlaskClient) -> None:
    client.post("/v1/score", json={"text": "the cat", "context": "sat", "model": "toy-word"})
    client.post("/v1/rank", json={"candidates": ["the", "cat"], "model": "toy-word"})
    assert 'seqserve_tokens_scored_total{model="toy-word"} 8.0' in client.get("/metrics").text


def test_rank_orders_candidates(client: FlaskClient) -> None:
    reply = client.post(
        "/v1/rank", json={"candidates": ["a", {"text": "a", "score": 2.5}, "a"], "model": "toy-word", "context": "the"}
    )
    assert list(reply.json) == ["model", "version", "best", "ranking"]
    assert reply.json["best"] == 1
    assert [item["index"] for item in reply.json["ranking"]] == [1, 0, 2]
    assert list(reply.json["ranking"][0]) == [
        "index",
        "text",
        "total",
        "log_prob",
        "score",
        "num_tokens",
        "num_unknown",
        "posterior",
    ]
