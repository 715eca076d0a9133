"""A call in Python and a request over HTTP give the same answers, and refuse with the same words."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from seqserve.errors import RequestError
from seqserve.language.language_model import LanguageModel
from tests.service.toys import open_toy

TEXTS = ["the cat sat .", "", "dog", "the cat ran . " * 9]
SAMPLE = {"prompt": "the cat", "n": 5, "seed": 3, "max_tokens": 30, "stop": ["sat"], "include": ["tokens"]}


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(models=[open_toy(max_chunk_tokens=5)]).test_client()


@pytest.fixture
def model() -> LanguageModel:
    return LanguageModel(open_toy(max_chunk_tokens=5).bundle)


def json_of(answer: object) -> Any:
    return json.loads(msgspec.json.encode(answer))


@pytest.mark.parametrize("context", [None, "the dog", ["the", "", "the", "cat ran"]])
def test_scores(client: FlaskClient, model: LanguageModel, context: Any) -> None:
    given = {"context": context, "include": ["tokens"], "top": 3}
    answer = client.post("/v1/score", json={"text": TEXTS, **given}).json
    assert answer["results"] == json_of(model.score(TEXTS, **given))


def test_ranks(client: FlaskClient, model: LanguageModel) -> None:
    given: dict[str, Any] = {"context": "the", "candidates": ["cat", {"text": "dog", "score": 2.5}], "lm_weight": 0.5}
    assert client.post("/v1/rank", json=given).json["ranking"] == json_of(model.rank(**given))


def test_samples(client: FlaskClient, model: LanguageModel) -> None:
    assert client.post("/v1/sample", json=SAMPLE).json["samples"] == json_of(model.sample(**SAMPLE))  # type: ignore[arg-type]


def test_streams(client: FlaskClient, model: LanguageModel) -> None:
    *events, _, _ = client.post("/v1/sample", json={**SAMPLE, "stream": True}).data.decode().split("\n\n")
    over_http = [json.loads(event.removeprefix("data: ")) for event in events]
    called = json_of(list(model.stream(**SAMPLE)))  # type: ignore[arg-type]
    for index in range(5):  # how samples alternate is a matter of time
        assert [event for event in over_http if event["index"] == index] == [
            event for event in called if event["index"] == index
        ]


REFUSED: dict[str, tuple[str, dict[str, Any], Callable[[LanguageModel], object]]] = {
    "top": ("score", {"text": ["a"], "top": 3}, lambda model: model.score(["a"], top=3)),
    "contexts": ("score", {"text": ["a"], "context": []}, lambda model: model.score(["a"], context=[])),
    "candidates": ("rank", {"candidates": ["a"]}, lambda model: model.rank(None, ["a"])),
    "n": ("sample", {"n": 0}, lambda model: model.sample(n=0)),
    "top_p": ("sample", {"top_p": 0}, lambda model: model.sample(top_p=0)),
    "banned": ("sample", {"banned": ["dog", "cow"]}, lambda model: model.sample(banned=["dog", "cow"])),
    "min_tokens": ("sample", {"min_tokens": 101}, lambda model: model.sample(min_tokens=101)),
}


@pytest.mark.parametrize(("route", "body", "call"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(
    client: FlaskClient, model: LanguageModel, route: str, body: dict[str, Any], call: Callable[[LanguageModel], object]
) -> None:
    problem = client.post(f"/v1/{route}", json=body).json
    with pytest.raises(RequestError) as caught:
        call(model)
    assert (problem["code"], problem["detail"]) == (caught.value.code, caught.value.detail)
    assert problem["errors"] == [field._asdict() for field in caught.value.fields]
