"""POST /v1/classify: answers, what is refused, and the same bytes alone and at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from seqserve.loading import load_bundle
from seqserve.service.engine.batching.batcher import Batcher
from seqserve.service.engine.models import ClassifierModel, QueueLimits
from seqserve.service.kinds import model_of
from tests.service.conftest import BUNDLES

MakeApp = Callable[..., Flask]


def open_classifier() -> ClassifierModel:
    return model_of(load_bundle(BUNDLES / "tiny-classifier" / "1"), "cpu", QueueLimits(1000))


@pytest.fixture(scope="module")
def model() -> ClassifierModel:
    return open_classifier()


@pytest.fixture
def client(make_app: MakeApp, model: ClassifierModel) -> FlaskClient:
    return make_app(models=[model]).test_client()


def test_the_shape_of_an_answer(client: FlaskClient) -> None:
    reply = client.post("/v1/classify", json={"text": "where is the cat"})
    assert reply.status_code == 200
    assert list(reply.json) == ["model", "version", "results"]
    (result,) = reply.json["results"]
    assert list(result) == ["label", "score", "scores"]
    assert list(result["scores"]) == ["statement", "question"]
    assert result["label"] == "question"
    assert result["score"] == result["scores"]["question"] == max(result["scores"].values())
    assert sum(result["scores"].values()) == pytest.approx(1, abs=2e-6)


def test_results_come_in_the_order_of_the_texts(client: FlaskClient) -> None:
    texts = ["where is the cat", "the cat is on the mat", "qxzzv", "where is the cat"]
    together = client.post("/v1/classify", json={"text": texts}).json["results"]
    alone = [client.post("/v1/classify", json={"text": text}).json["results"][0] for text in texts]
    assert together == alone
    assert together[0] == together[3]
    assert together[0] != together[1]


def test_many_clients_get_their_own_answers(client: FlaskClient, make_app: MakeApp, model: ClassifierModel) -> None:
    app = make_app(models=[model])
    words = ["where", "is", "the", "cat", "who", "has", "seen", "my", "dog"]
    bodies = [{"text": [" ".join(words[: 1 + number % 9]), words[number % 9]]} for number in range(32)]
    alone = [client.post("/v1/classify", json=body).data for body in bodies]
    with ThreadPoolExecutor(32) as pool:
        at_once = list(pool.map(lambda body: app.test_client().post("/v1/classify", json=body).data, bodies))
    assert at_once == alone


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"text": []}, 422, "invalid_request", "/text"),
        ({"text": ""}, 422, "invalid_request", "/text"),
        ({"text": ["fine", " \n"]}, 422, "invalid_request", "/text/1"),
        ({"text": ["fine", "a " * 13]}, 422, "text_too_long", "/text/1"),
        ({"text": "a " * 13}, 422, "text_too_long", "/text"),
        ({"text": 1}, 422, "invalid_request", "/text"),
        ({}, 422, "invalid_request", ""),
        ({"text": "fine", "labels": ["x"]}, 422, "invalid_request", "/labels"),
        ({"text": ["fine"] * 5}, 422, "too_many_texts", "/text"),
        ({"text": "fine", "model": "tiny-ner"}, 409, "task_mismatch", None),
        ({"text": "fine", "model": "nobody"}, 404, "model_not_found", None),
    ],
    ids=str,
)
def test_what_is_refused_names_its_place(
    make_app: MakeApp,
    model: ClassifierModel,
    body: dict[str, object],
    status: int,
    code: str,
    pointer: str | None,
) -> None:
    reply = make_app(models=[model], max_texts=4).test_client().post("/v1/classify", json=body)
    assert (reply.status_code, reply.json["code"]) == (status, code)
    if pointer is not None:
        assert pointer in [error["pointer"] for error in reply.json["errors"]]


def test_texts_that_are_too_long_together_are_refused(make_app: MakeApp, model: ClassifierModel) -> None:
    client = make_app(models=[model], max_queue_tokens=20, max_tokens=20).test_client()
    reply = client.post("/v1/classify", json={"text": ["a b c d e f"] * 4})
    assert (reply.status_code, reply.json["code"]) == (422, "text_too_long")
    assert "The texts together have more than" in reply.json["detail"]


def test_a_late_answer_is_a_504(make_app: MakeApp, model: ClassifierModel) -> None:
    go_on = threading.Event()

    def slow(rows: list[object]) -> list[np.ndarray]:
        go_on.wait(10)
        return [np.array([0.5, 0.5], np.float32)] * len(rows)

    held = ClassifierModel("cpu", model.bundle, Batcher(slow, max_queue_tokens=1000))
    app = make_app(models=[held], deadline_s=0.2)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(lambda: app.test_client().post("/v1/classify", json={"text": "one"}))
        second = app.test_client().post("/v1/classify", json={"text": "two"})
        go_on.set()
        statuses = {second.status_code, first.result().status_code}
    assert 504 in statuses


def test_the_model_says_what_applies_to_it(client: FlaskClient) -> None:
    found = client.get("/v1/models/tiny-classifier").json
    assert (found["task"], found["cell"], found["labels"]) == ("classify", "lstm", ["statement", "question"])
    assert found["limits"]["max_tokens"] == 12
    assert not {"level", "vocabulary_size", "ends_sentences"} & set(found)


def test_no_classifier_here_is_a_404(make_app: MakeApp) -> None:
    reply = make_app().test_client().post("/v1/classify", json={"text": "fine"})
    assert (reply.status_code, reply.json["code"]) == (404, "model_not_found")
