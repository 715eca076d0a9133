"""The tree of every error that seqserve raises on purpose; the service adds those that only a server can have."""

import re
from collections.abc import Sequence
from typing import ClassVar, NamedTuple, TypeVar


class SeqserveError(Exception):
    """An error whose message is one sentence for a person."""


class UsageError(SeqserveError):
    """A program was called in a wrong way: a setting, a flag, an environment variable."""


class BundleError(SeqserveError):
    """A bundle cannot be used; the message names the file and says why."""


class FieldError(NamedTuple):
    """What is wrong with one argument, or one place of a body; `pointer` is a JSON Pointer (RFC 6901)."""

    pointer: str
    detail: str


class RequestError(SeqserveError):
    """A request, over HTTP or as a call, that cannot be answered; the message is one sentence.

    code: the name of the class without "Error", in snake case: "not_found" of NotFoundError.
    """

    code: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__.removesuffix("Error")).lower()

    def __init__(self, detail: str, fields: Sequence[FieldError] = (), *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = tuple(fields)
        self.retry_after_s = retry_after_s


class NotFoundError(RequestError):
    """Nothing has this name or address."""


class ModelNotFoundError(NotFoundError):
    """No model has this name, or none can do the task."""


class TaskMismatchError(RequestError):
    """The model does something else."""


class InvalidRequestError(RequestError):
    """A value is not acceptable; `fields` says which one."""


class TextTooLongError(InvalidRequestError):
    """A text, or all texts together, have too many tokens."""


class TooManyTextsError(InvalidRequestError):
    """There are too many texts at a time."""


PlacedT = TypeVar("PlacedT", bound=InvalidRequestError)


def pointer_to(*steps: str | int) -> str:
    """Return the JSON Pointer (RFC 6901) of a place: ("text", 3) is "/text/3"."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def invalid(detail: str, *steps: str | int) -> InvalidRequestError:
    """Return the error for one place: `invalid("...", "text", 3)` is about "/text/3"."""
    return _at_place(InvalidRequestError, detail, steps)


def too_long(detail: str, *steps: str | int) -> TextTooLongError:
    """Return the error for texts of too many tokens, by their place as `invalid` takes it."""
    return _at_place(TextTooLongError, detail, steps)


def too_many(detail: str, *steps: str | int) -> TooManyTextsError:
    """Return the error for too many texts, by their place as `invalid` takes it."""
    return _at_place(TooManyTextsError, detail, steps)


def _at_place(kind: type[PlacedT], detail: str, steps: tuple[str | int, ...]) -> PlacedT:
    pointer = pointer_to(*steps)
    return kind(f"{pointer}: {detail}" if pointer else detail, [FieldError(pointer, detail)])
