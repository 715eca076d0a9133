"""/openapi.json: OpenAPI 3.1, generated from the routes, their types and the table of errors."""

from collections.abc import Iterable
from typing import Any

import msgspec

from seqserve import __version__
from seqserve.service.errors import KINDS
from seqserve.service.problems import CONTENT_TYPE, Problem
from seqserve.service.routes.route import Route

_REF = "#/components/schemas/{name}"


def document(routes: Iterable[Route]) -> bytes:
    """Return the description of routes as JSON."""
    types = [
        Problem,
        *(kind for route in routes for kind in (route.request, route.response, *route.events) if _is_struct(kind)),
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
            "paths": _paths(routes),
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


def _paths(routes: Iterable[Route]) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
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
    """Return one response per status, which several codes may share."""
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
