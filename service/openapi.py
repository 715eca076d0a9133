"""/openapi.json: OpenAPI 3.1, generated from the request and response types and the table of errors."""

import functools
from typing import Any, NamedTuple

import msgspec

from seqserve import __version__
from seqserve.language.answers import SampleEnd, SamplePiece
from seqserve.service.errors import KINDS
from seqserve.service.problems import CONTENT_TYPE
from seqserve.service.routes.rank import RankRequest, RankResponse
from seqserve.service.routes.sample import SampleRequest, SampleResponse, StreamError
from seqserve.service.routes.score import ScoreRequest, ScoreResponse
from seqserve.service.schemas.classify import ClassifyRequest, ClassifyResponse
from seqserve.service.schemas.models import ModelInfo, ModelList
from seqserve.service.schemas.problems import Health, Problem
from seqserve.service.schemas.tag import TagRequest, TagResponse
from seqserve.service.schemas.transduce import TransduceRequest, TransduceResponse

_REF = "#/components/schemas/{name}"
_TAG_EXAMPLES = {
    "one text": {"value": {"text": 'He said, "Teddy Roosevelt was a great President."'}},
    "tokens": {"value": {"tokens": [["Harry", "Potter", "invented", "a", "spell"]], "include": ["tokens"]}},
}
_SCORE_EXAMPLES = {
    "two readings": {"value": {"text": ["The apple and pear salad", "The apple and pair salad"]}},
    "token by token": {
        "value": {"text": "pear salad", "context": "The apple and", "eos": False, "include": ["tokens"], "top": 3}
    },
}
_RANK_EXAMPLES = {
    "readings": {"value": {"candidates": ["The apple and pair salad", "The apple and pear salad"]}},
    "acoustic scores": {
        "value": {
            "candidates": [{"text": "pair salad", "score": -12.5}, {"text": "pear salad", "score": -12.9}],
            "context": "The apple and",
            "lm_weight": 0.7,
            "length_bonus": 0.2,
        }
    },
}
_CLASSIFY_EXAMPLES = {"two texts": {"value": {"text": ["where have you been", "I was at home"]}}}
_TRANSDUCE_EXAMPLES = {"by a beam of five": {"value": {"text": ["I am happy.", "Where is Tom?"], "beams": 5}}}
_SAMPLE_EXAMPLES = {
    "three sentences": {"value": {"n": 3, "temperature": 0.8, "seed": 42}},
    "as it is written": {"value": {"prompt": "The", "max_tokens": 30, "stop": [". "], "stream": True}},
}


class Route(NamedTuple):
    """One operation; `errors` are codes of the table of errors."""

    method: str
    path: str
    name: str
    summary: str
    response: type[msgspec.Struct] | str
    errors: tuple[str, ...] = ()
    request: type[msgspec.Struct] | None = None
    examples: dict[str, Any] | None = None
    events: tuple[type[msgspec.Struct], ...] = ()


_ERRORS_OF_WORK = (
    "malformed_json",
    "unauthorized",
    "model_not_found",
    "task_mismatch",
    "payload_too_large",
    "unsupported_media_type",
    "invalid_request",
    "text_too_long",
    "too_many_texts",
    "internal",
    "overloaded",
    "not_ready",
    "deadline_exceeded",
)
"""Codes of every route that runs a model."""

ROUTES = (
    Route(
        "post",
        "/v1/tag",
        "tag",
        "Find names in texts. Offsets count code points of the text as it was sent.",
        TagResponse,
        _ERRORS_OF_WORK,
        TagRequest,
        _TAG_EXAMPLES,
    ),
    Route(
        "post",
        "/v1/score",
        "score",
        "Give the probability of texts under a language model. Logarithms are natural where not said otherwise.",
        ScoreResponse,
        _ERRORS_OF_WORK,
        ScoreRequest,
        _SCORE_EXAMPLES,
    ),
    Route(
        "post",
        "/v1/rank",
        "rank",
        "Choose among candidates, such as an n-best list, by a language model and their own scores.",
        RankResponse,
        _ERRORS_OF_WORK,
        RankRequest,
        _RANK_EXAMPLES,
    ),
    Route(
        "post",
        "/v1/sample",
        "sample",
        "Write new text with a language model, the same for the same seed. With stream, Server-Sent Events: pieces of "
        "text, an end for each sample, then [DONE], or an error and no [DONE]; X-Seed holds the seed.",
        SampleResponse,
        tuple(code for code in _ERRORS_OF_WORK if code != "too_many_texts"),
        SampleRequest,
        _SAMPLE_EXAMPLES,
        (SamplePiece, SampleEnd, StreamError),
    ),
    Route(
        "post",
        "/v1/classify",
        "classify",
        "Say what texts are, each as a whole, with the probability of every label.",
        ClassifyResponse,
        _ERRORS_OF_WORK,
        ClassifyRequest,
        _CLASSIFY_EXAMPLES,
    ),
    Route(
        "post",
        "/v1/transduce",
        "transduce",
        "Turn texts into other texts, such as translations, with an encoder-decoder, greedily or by beam search.",
        TransduceResponse,
        _ERRORS_OF_WORK,
        TransduceRequest,
        _TRANSDUCE_EXAMPLES,
    ),
    Route("get", "/v1/models", "list_models", "List the models.", ModelList, ("unauthorized", "internal")),
    Route(
        "get",
        "/v1/models/{name}",
        "show_model",
        "Describe one model.",
        ModelInfo,
        ("unauthorized", "model_not_found", "not_ready", "internal"),
    ),
    Route("get", "/healthz", "healthz", "200 while the process lives.", Health),
    Route(
        "get",
        "/readyz",
        "readyz",
        "200 when every model is open and the server is not draining.",
        Health,
        ("not_ready", "shutting_down"),
    ),
    Route("get", "/metrics", "metrics", "Numbers for Prometheus.", "text/plain"),
    Route("get", "/openapi.json", "openapi", "This description.", "application/json"),
)
"""Every operation of the server; a test compares it with the app's own routes."""


@functools.cache
def document() -> bytes:
    """Return the description as JSON."""
    types = [
        Problem,
        *(kind for route in ROUTES for kind in (route.request, route.response, *route.events) if _is_struct(kind)),
    ]
    _, schemas = msgspec.json.schema_components(types, ref_template=_REF)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "seqserve",
                "version": __version__,
                "description": "Recurrent sequence models over HTTP. Every answer carries X-Request-Id (the client's "
                "own, when it sent a sane one) and Server-Timing with queue, compute and total in milliseconds. "
                "Answers of the POST routes have RateLimit-Policy and RateLimit (as in a draft of the IETF): how many "
                "requests of a client are answered at a time, and how many more it may send now.",
            },
            "paths": _paths(),
            "components": {
                "schemas": schemas,
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
                "headers": {
                    "Retry-After": {
                        "description": "Seconds after which another try makes sense, computed from the queue.",
                        "schema": {"type": "integer", "minimum": 1},
                    },
                    "RateLimit": {
                        "description": "How many requests more the client may have answered at a time (r), and the "
                        "seconds after which another try makes sense (t).",
                        "schema": {"type": "string"},
                    },
                },
            },
        }
    )


def _is_struct(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _paths() -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = _operation(route)
    return paths


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "responses": {"200": _success(route), **_failures(route)},
    }
    if "{name}" in route.path:
        operation["parameters"] = [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}]
    if route.path.startswith("/v1/"):
        operation["security"] = [{}, {"bearer": []}]
    if route.request is not None:
        content: dict[str, Any] = {"schema": _reference(route.request)}
        if route.examples:
            content["examples"] = route.examples
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    return operation


def _success(route: Route) -> dict[str, Any]:
    if isinstance(route.response, str):
        return {"description": "OK", "content": {route.response: {}}}
    content: dict[str, Any] = {"application/json": {"schema": _reference(route.response)}}
    if route.events:
        content["text/event-stream"] = {"schema": _event(route.events)}
    return {"description": "OK", "content": content}


def _event(kinds: tuple[type[msgspec.Struct], ...]) -> dict[str, Any]:
    """Describe one event of a stream, as OpenAPI 3.2 and its tools have it: an object whose `data` is a string."""
    payload = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"anyOf": [_reference(kind) for kind in kinds]},
    }
    return {"type": "object", "required": ["data"], "properties": {"data": {"anyOf": [{"const": "[DONE]"}, payload]}}}


def _failures(route: Route) -> dict[str, Any]:
    """One response per status: several codes may share one."""
    by_status: dict[int, list[str]] = {}
    for code in route.errors:
        by_status.setdefault(KINDS[code].status, []).append(code)
    responses: dict[str, Any] = {}
    for status, codes in sorted(by_status.items()):
        schema = {"allOf": [_reference(Problem), {"properties": {"code": {"enum": codes}}}]}
        text = "; ".join(f"{KINDS[code].title} ({code})" for code in codes)
        responses[str(status)] = {"description": text, "content": {CONTENT_TYPE: {"schema": schema}}}
        if status == KINDS["overloaded"].status:
            responses[str(status)]["headers"] = {
                name: {"$ref": f"#/components/headers/{name}"} for name in ("Retry-After", "RateLimit")
            }
    return responses


def _reference(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": _REF.format(name=kind.__name__)}
