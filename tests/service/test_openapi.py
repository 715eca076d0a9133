"""/openapi.json is valid, complete, and what the routes really answer."""

import json
import re
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from seqserve.service.errors import KINDS
from seqserve.service.openapi import document
from seqserve.service.routes.table import ROUTES
from tests.service.test_classify_route import open_classifier
from tests.service.toys import open_toy

DOCUMENT: dict[str, Any] = json.loads(document(ROUTES))


def validate(instance: object, schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(instance)


def schema_of(method: str, path: str, status: int, content_type: str) -> dict[str, Any]:
    schema: dict[str, Any] = DOCUMENT["paths"][path][method]["responses"][str(status)]["content"][content_type][
        "schema"
    ]
    return schema


def test_it_is_valid() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_it_has_exactly_the_routes_of_the_app(make_app: Callable[..., Flask]) -> None:
    rules = {
        (method, re.sub(r"<(\w+)>", r"{\1}", rule.rule))
        for rule in make_app().url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert rules == {(route.method, route.path) for route in ROUTES}


def test_every_code_of_the_table_is_answered_by_some_route() -> None:
    described = {code for route in ROUTES for code in route.errors}
    # What is outside of every route's description: wrong addresses and wrong methods.
    assert described == set(KINDS) - {"not_found", "method_not_allowed"}


ASKED = [
    ("post", "/v1/tag", {"text": "Teddy Roosevelt came."}, 200),
    ("post", "/v1/tag", {"text": ["Teddy Roosevelt", ""], "include": ["tag_probs"]}, 200),
    (
        "post",
        "/v1/tag",
        {"tokens": [["Teddy", "Roosevelt"]], "include": ["tokens"], "labels": ["PER"], "min_score": 0.5},
        200,
    ),
    ("post", "/v1/tag", {"text": 1}, 422),
    ("post", "/v1/tag", {"text": "a", "model": "none"}, 404),
    ("post", "/v1/score", {"text": "the dog", "include": ["tokens"], "top": 2, "context": "sat"}, 200),
    ("post", "/v1/score", {"text": ["the", "", "dog dog"], "eos": False}, 200),
    ("post", "/v1/score", {"text": "a", "top": 1}, 422),
    ("post", "/v1/sample", {"n": 2, "include": ["tokens"], "seed": 2**64 - 1}, 200),
    ("post", "/v1/sample", {"prompt": "the", "max_tokens": 3, "temperature": 0}, 200),
    ("post", "/v1/sample", {"seed": 2**64}, 422),
    ("post", "/v1/sample", {"model": "tiny-ner"}, 409),
    ("post", "/v1/score", {"text": "a", "model": "tiny-ner"}, 409),
    ("post", "/v1/rank", {"candidates": ["the", {"text": "cat", "score": -1}], "normalize": "tokens"}, 200),
    ("post", "/v1/rank", {"candidates": ["the"]}, 422),
    ("post", "/v1/classify", {"text": ["where is it", "here"]}, 200),
    ("post", "/v1/classify", {"text": ""}, 422),
    ("get", "/v1/models/tiny-classifier", None, 200),
    ("get", "/v1/models", None, 200),
    ("get", "/v1/models/toy-word", None, 200),
    ("get", "/v1/models/tiny-ner", None, 200),
    ("get", "/v1/models/none", None, 404),
    ("get", "/healthz", None, 200),
    ("get", "/readyz", None, 200),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), ASKED)
def test_answers_are_as_described(
    make_app: Callable[..., Flask], method: str, path: str, body: object, status: int
) -> None:
    reply = make_app(models=[open_toy(), open_classifier()]).test_client().open(path, method=method.upper(), json=body)
    assert reply.status_code == status
    described = re.sub(r"(?<=/v1/models/).+", "{name}", path)
    validate(reply.json, schema_of(method, described, status, reply.content_type))


def request_schema(path: str) -> dict[str, Any]:
    schema: dict[str, Any] = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return schema


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/tag", {"text": "a"}),
        ("/v1/tag", {"text": ["a"]}),
        ("/v1/tag", {"tokens": ["a"], "model": None}),
        ("/v1/tag", {"tokens": [["a"], []], "labels": ["PER"], "min_score": 1, "include": ["tokens", "tag_probs"]}),
        ("/v1/score", {"text": "a", "context": None, "eos": None}),
        ("/v1/score", {"text": ["a", "b"], "context": ["", "c"], "include": ["tokens"], "top": 20}),
        ("/v1/sample", {}),
        ("/v1/sample", {"n": 64, "max_tokens": 4, "top_p": 0.1, "stop": ["a"], "seed": 2**64 - 1, "model": None}),
        ("/v1/rank", {"candidates": ["a", {"text": "b"}], "lm_weight": 2, "length_bonus": -1}),
        ("/v1/classify", {"text": "a", "model": None}),
        ("/v1/classify", {"text": ["a", "b c"]}),
    ],
)
def test_requests_that_are_answered_fit_the_description(
    make_app: Callable[..., Flask], path: str, body: dict[str, Any]
) -> None:
    validate(body, request_schema(path))
    assert make_app(models=[open_toy(), open_classifier()]).test_client().post(path, json=body).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/tag", {"text": 1}),
        ("/v1/tag", {"txt": "a"}),
        ("/v1/tag", {"text": "a", "min_score": 2}),
        ("/v1/tag", {"tokens": [[1]]}),
        ("/v1/tag", {"text": "a", "include": ["x"]}),
        ("/v1/score", {"text": None}),
        ("/v1/score", {"text": "a", "include": ["tokens"], "top": 21}),
        ("/v1/score", {"text": "a", "labels": []}),
        ("/v1/sample", {"n": 65}),
        ("/v1/sample", {"top_p": 0}),
        ("/v1/sample", {"seed": 2**64}),
        ("/v1/sample", {"stop": [""]}),
        ("/v1/rank", {"candidates": ["a"]}),
        ("/v1/rank", {"candidates": ["a", {"score": 1}]}),
        ("/v1/rank", {"candidates": ["a", "b"], "normalize": "length"}),
    ],
)
def test_requests_of_a_wrong_type_do_not_fit_the_description(
    make_app: Callable[..., Flask], path: str, body: dict[str, Any]
) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validate(body, request_schema(path))
    assert make_app(models=[open_toy(), open_classifier()]).test_client().post(path, json=body).status_code == 422


@pytest.mark.parametrize("path", ["/v1/tag", "/v1/score", "/v1/rank", "/v1/sample"])
def test_examples_are_answered(make_app: Callable[..., Flask], path: str) -> None:
    client = make_app(models=[open_toy(), open_classifier()]).test_client()
    examples = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"]
    for example in examples.values():
        assert client.post(path, json=example["value"]).status_code == 200


def test_it_is_served(make_app: Callable[..., Flask]) -> None:
    assert make_app().test_client().get("/openapi.json").json == DOCUMENT
