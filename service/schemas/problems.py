"""Errors and probes."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Health(Struct, kw_only=True):
    """The process lives, or every model is ready."""

    status: Literal["ok", "ready"]


class ProblemField(Struct, kw_only=True):
    """What is wrong with one place of the body."""

    pointer: Annotated[str, Meta(description="JSON Pointer into the body.")]
    detail: str


class Problem(Struct, kw_only=True):
    """An error as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemField]
