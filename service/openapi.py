"""/openapi.json: OpenAPI 3.1, generated from the request and response types and the table of errors."""

import functools
from typing import Any, NamedTuple

import msgspec

from service import VERSION
from service.errors import KINDS
from service.problems import CONTENT_TYPE
from service.schemas import Health, ModelInfo, ModelList, Problem, TagRequest, TagResponse

_REF = "#/components/schemas/{name}"
_TAG_EXAMPLE = {
    "one text": {"value": {"text": 'He said, "Teddy Roosevelt was a great President."'}},
    "tokens": {"value": {"tokens": [["Harry", "Potter", "invented", "a", "spell"]], "include": ["tokens"]}},
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


ROUTES = (
    Route(
        "post",
        "/v1/tag",
        "tag",
        "Find names in texts. Offsets count code points of the text as it was sent.",
        TagResponse,
        (
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
        ),
        TagRequest,
        _TAG_EXAMPLE,
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
    types = [Problem, *(kind for route in ROUTES for kind in (route.request, route.response) if _is_struct(kind))]
    _, schemas = msgspec.json.schema_components(types, ref_template=_REF)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "seqserve",
                "version": VERSION,
                "description": "Recurrent sequence models over HTTP. Every answer carries X-Request-Id (the client's "
                "own, when it sent a sane one) and Server-Timing with queue, compute and total in milliseconds.",
            },
            "paths": _paths(),
            "components": {
                "schemas": schemas,
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
                "headers": {
                    "Retry-After": {
                        "description": "Seconds after which another try makes sense, computed from the queue.",
                        "schema": {"type": "integer", "minimum": 1},
                    }
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
    return {"description": "OK", "content": {"application/json": {"schema": _reference(route.response)}}}


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
            responses[str(status)]["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    return responses


def _reference(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": _REF.format(name=kind.__name__)}
