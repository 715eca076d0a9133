"""A route: its address, its view, and its description in /openapi.json."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from seqserve.service.answers import Answer

ERRORS_OF_WORK = (
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


class Route(NamedTuple):
    """One operation, named as its view, which takes the variable parts of `rule` ("/v1/models/<name>").

    response: a type, or the content type of a body without one. errors: codes of `seqserve.service.errors.KINDS`.
    events: of a stream, where the route has one. is_for_operators: answered at the port of probes too.
    """

    view: Callable[..., Answer]
    method: str
    rule: str
    summary: str
    response: type[msgspec.Struct] | str
    request: type[msgspec.Struct] | None = None
    examples: Mapping[str, Any] | None = None
    errors: tuple[str, ...] = ()
    events: tuple[type[msgspec.Struct], ...] = ()
    is_for_operators: bool = False

    @property
    def name(self) -> str:
        """The view's name, which is also the operation's."""
        return self.view.__name__

    @property
    def path(self) -> str:
        """The address as OpenAPI writes it."""
        return self.rule.replace("<", "{").replace(">", "}")
