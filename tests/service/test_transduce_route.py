"""POST /v1/transduce around a tiny translator: what is refused, and what the answers look like."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jsonschema
import pytest
from flask import Flask
from flask.testing import FlaskClient

from seqserve.transducer.beam import Hypothesis
from seqserve.transducer.model import TransduceRow
from tests.seqserve.tiny_transducer import KNOWN
from tests.service.test_openapi import DOCUMENT, request_schema, schema_of, validate
from tests.service.transducers import tiny_transducer

MakeApp = Callable[..., Flask]


@pytest.fixture
def client(make_app: MakeApp) -> FlaskClient:
    return make_app(models=[tiny_transducer()]).test_client()


def test_the_shape_of_an_answer(client: FlaskClient) -> None:
    reply = client.post("/v1/transduce", json={"text": "I am happy."})
    assert reply.status_code == 200
    assert list(reply.json) == ["model", "version", "results"]
    assert (reply.json["model"], reply.json["version"]) == ("tiny-translate", "1")
    (result,) = reply.json["results"]
    assert list(result) == ["text", "log_prob", "finish_reason"]
    assert (result["text"], result["finish_reason"]) == ("Je suis heureux.", "eos")
    assert -1 < result["log_prob"] < 0


@pytest.mark.parametrize("beams", [1, 5, 16])
def test_one_result_a_text_in_their_order(client: FlaskClient, beams: int) -> None:
    reply = client.post("/v1/transduce", json={"text": list(KNOWN), "beams": beams, "model": "tiny-translate"})
    assert [result["text"] for result in reply.json["results"]] == list(KNOWN.values())


def test_an_answer_is_cut_off_at_max_tokens(client: FlaskClient) -> None:
    (result,) = client.post("/v1/transduce", json={"text": "Where is Tom?", "max_tokens": 2}).json["results"]
    assert (result["text"], result["finish_reason"]) == ("Où est", "length")


INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "no text": ({}, ""),
    "no texts": ({"text": []}, "/text"),
    "an empty text": ({"text": ""}, "/text"),
    "white space among texts": ({"text": ["Tom", " \n"]}, "/text/1"),
    "number among texts": ({"text": ["Tom", 1]}, "/text/1"),
    "null text": ({"text": None}, "/text"),
    "no beam": ({"text": "Tom", "beams": 0}, "/beams"),
    "too many beams": ({"text": "Tom", "beams": 17}, "/beams"),
    "beams a fraction": ({"text": "Tom", "beams": 1.5}, "/beams"),
    "no tokens": ({"text": "Tom", "max_tokens": 0}, "/max_tokens"),
    "too many tokens": ({"text": "Tom", "max_tokens": 513}, "/max_tokens"),
    "tokens a string": ({"text": "Tom", "max_tokens": "9"}, "/max_tokens"),
    "unknown field": ({"text": "Tom", "temperature": 1}, "/temperature"),
}


@pytest.mark.parametrize(("body", "pointer"), INVALID.values(), ids=INVALID)
def test_invalid_requests(client: FlaskClient, body: dict[str, Any], pointer: str) -> None:
    reply = client.post("/v1/transduce", json=body)
    assert (reply.status_code, reply.json["code"]) == (422, "invalid_request"), reply.json
    assert [field["pointer"] for field in reply.json["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"text": "a " * 13}, "text_too_long", "/text"),
        ({"text": ["a", "a " * 13]}, "text_too_long", "/text/1"),
        ({"text": ["a " * 12] * 2}, "text_too_long", "/text"),
        ({"text": "a a a", "beams": 7}, "text_too_long", "/text"),
        ({"text": ["a"] * 4}, "too_many_texts", "/text"),
    ],
)
def test_limits(make_app: MakeApp, body: dict[str, Any], code: str, pointer: str) -> None:
    client = make_app(models=[tiny_transducer()], max_tokens=5, max_queue_tokens=20, max_texts=3).test_client()
    reply = client.post("/v1/transduce", json=body)
    assert (reply.status_code, reply.json["code"]) == (422, code), reply.json
    assert reply.json["errors"][0]["pointer"] == pointer
    assert reply.json["detail"].startswith(f"{pointer}: ")


def test_models_of_other_tasks(client: FlaskClient, make_app: MakeApp) -> None:
    for model, code, status in (("tiny-ner", "task_mismatch", 409), ("none", "model_not_found", 404)):
        reply = client.post("/v1/transduce", json={"text": "Tom", "model": model})
        assert (reply.status_code, reply.json["code"]) == (status, code)
    reply = client.post("/v1/tag", json={"text": "Tom", "model": "tiny-translate"})
    assert (reply.status_code, reply.json["code"]) == (409, "task_mismatch")
    reply = make_app().test_client().post("/v1/transduce", json={"text": "Tom"})
    assert (reply.status_code, reply.json["code"]) == (404, "model_not_found")


def test_a_passed_deadline(make_app: MakeApp) -> None:
    client = make_app(models=[tiny_transducer()], deadline_s=1e-9).test_client()
    reply = client.post("/v1/transduce", json={"text": "Tom"})
    assert (reply.status_code, reply.json["code"]) == (504, "deadline_exceeded")


def test_a_deadline_that_passes_between_tokens(make_app: MakeApp) -> None:
    real, num_steps = tiny_transducer(), []

    def run(rows: list[TransduceRow]) -> list[Hypothesis]:
        (row,) = rows
        time.sleep(max(0.0, row.deadline - time.monotonic()))
        found = real.bundle.run(rows)
        num_steps.append(len(found[0].ids))
        return found

    client = make_app(models=[tiny_transducer(run)], deadline_s=0.3).test_client()
    reply = client.post("/v1/transduce", json={"text": "Tom"})
    assert (reply.status_code, reply.json["code"]) == (504, "deadline_exceeded")
    assert num_steps == [0]


def test_a_failing_run_is_an_internal_error(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    def run(rows: list[TransduceRow]) -> list[Hypothesis]:
        raise RuntimeError("the graph melted")

    reply = make_app(models=[tiny_transducer(run)]).test_client().post("/v1/transduce", json={"text": "Tom"})
    assert (reply.status_code, reply.json["code"]) == (500, "internal")
    assert "melted" not in reply.text
    assert "the graph melted" in caplog.text


def test_a_full_queue_is_refused_while_another_runs(make_app: MakeApp) -> None:
    entered, go_on, real = threading.Event(), threading.Event(), tiny_transducer()

    def run(rows: list[TransduceRow]) -> list[Hypothesis]:
        entered.set()
        go_on.wait(60)
        return real.bundle.run(rows)

    app = make_app(models=[tiny_transducer(run, max_queue_tokens=10)])
    body = {"text": "Tom sleeps.", "beams": 3}
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: app.test_client().post("/v1/transduce", json=body))
        assert entered.wait(60)
        reply = app.test_client().post("/v1/transduce", json=body)
        go_on.set()
        assert first.result().status_code == 200
    assert (reply.status_code, reply.json["code"]) == (503, "overloaded")
    assert int(reply.headers["Retry-After"]) >= 1


def test_concurrent_clients_get_the_bytes_they_get_alone(client: FlaskClient) -> None:
    texts = [*KNOWN, "Tom", "The dog", "zzqxv zzqxv zzqxv"]
    bodies = [
        {"text": texts[number % len(texts)], "beams": 1 + number % 4, "max_tokens": 5 + number % 9}
        for number in range(32)
    ]
    alone = [client.post("/v1/transduce", json=body).data for body in bodies]
    application = client.application
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda body: application.test_client().post("/v1/transduce", json=body).data, bodies))
    assert together == alone


def test_the_model_is_described_and_its_tokens_are_counted(client: FlaskClient) -> None:
    shown = client.get("/v1/models/tiny-translate").json
    assert (shown["task"], shown["languages"], shown["cell"]) == ("transduce", ["en", "fr"], "lstm")
    assert (shown["limits"]["max_tokens"], shown["limits"]["max_beams"]) == (12, 16)
    assert shown["reproducible"]
    client.post("/v1/transduce", json={"text": "Tom sleeps."})
    assert 'seqserve_tokens_transduced_total{model="tiny-translate"} 3.0' in client.get("/metrics").text


def test_answers_and_examples_are_as_openapi_says(client: FlaskClient) -> None:
    path = "/v1/transduce"
    examples = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"]
    for body in (*(example["value"] for example in examples.values()), {"text": "Tom", "model": None}):
        validate(body, request_schema(path))
        reply = client.post(path, json=body)
        assert reply.status_code == 200
        validate(reply.json, schema_of("post", path, 200, reply.content_type))
    for wrong in ({"text": "a", "beams": 17}, {"text": 1}, {"text": "a", "max_tokens": 0}, {"texts": ["a"]}):
        with pytest.raises(jsonschema.ValidationError):
            validate(wrong, request_schema(path))
        reply = client.post(path, json=wrong)
        validate(reply.json, schema_of("post", path, 422, reply.content_type))
