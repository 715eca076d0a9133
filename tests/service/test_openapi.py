"""/openapi.json is valid, complete, and what the routes really answer."""

import json
import re
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from service.errors import KINDS
from service.openapi import ROUTES, document

DOCUMENT: dict[str, Any] = json.loads(document())


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
        (method.lower(), re.sub(r"<(\w+)>", r"{\1}", rule.rule))
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
    ("get", "/v1/models", None, 200),
    ("get", "/v1/models/tiny-ner", None, 200),
    ("get", "/v1/models/none", None, 404),
    ("get", "/healthz", None, 200),
    ("get", "/readyz", None, 200),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), ASKED)
def test_answers_are_as_described(
    make_app: Callable[..., Flask], method: str, path: str, body: object, status: int
) -> None:
    reply = make_app().test_client().open(path, method=method.upper(), json=body)
    assert reply.status_code == status
    described = re.sub(r"(?<=/v1/models/).+", "{name}", path)
    validate(reply.json, schema_of(method, described, status, reply.content_type))


@pytest.mark.parametrize(
    "body",
    [
        {"text": "a"},
        {"text": ["a"]},
        {"tokens": ["a"], "model": None},
        {"tokens": [["a"], []], "labels": ["PER"], "min_score": 1, "include": ["tokens", "tag_probs"]},
    ],
)
def test_requests_that_are_answered_fit_the_description(make_app: Callable[..., Flask], body: dict[str, Any]) -> None:
    validate(body, DOCUMENT["paths"]["/v1/tag"]["post"]["requestBody"]["content"]["application/json"]["schema"])
    assert make_app().test_client().post("/v1/tag", json=body).status_code == 200


@pytest.mark.parametrize(
    "body",
    [{"text": 1}, {"txt": "a"}, {"text": "a", "min_score": 2}, {"tokens": [[1]]}, {"text": "a", "include": ["x"]}],
)
def test_requests_of_a_wrong_type_do_not_fit_the_description(
    make_app: Callable[..., Flask], body: dict[str, Any]
) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validate(body, DOCUMENT["paths"]["/v1/tag"]["post"]["requestBody"]["content"]["application/json"]["schema"])
    assert make_app().test_client().post("/v1/tag", json=body).status_code == 422


def test_examples_are_answered(make_app: Callable[..., Flask]) -> None:
    examples = DOCUMENT["paths"]["/v1/tag"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    for example in examples.values():
        assert make_app().test_client().post("/v1/tag", json=example["value"]).status_code == 200


def test_it_is_served(make_app: Callable[..., Flask]) -> None:
    assert make_app().test_client().get("/openapi.json").json == DOCUMENT
