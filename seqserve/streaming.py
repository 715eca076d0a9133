"""Many texts through a model: a list gives a list, any other iterable gives an iterator that reads a little ahead."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from seqserve.errors import invalid
from seqserve.reading import checked_text

Result = TypeVar("Result")

_TEXTS = 256
"""Texts that are answered together: enough to find rows of like length, few enough to stream."""

_CHARACTERS = 256 * 1024
"""Beyond that many characters fewer texts are taken together, so that long ones do not fill the memory."""


def answer_texts(
    texts: Iterable[Any],
    answer: Callable[[list[Any], int], list[Result]],
    *,
    field: str = "texts",
    check: Callable[..., Any] = checked_text,
) -> list[Result] | Iterator[Result]:
    """Answer texts in order; `answer` takes some of them, and the number of the first.

    check: takes a text and the steps to it, refuses it or returns it as `answer` takes it.
    Raises InvalidRequestError, for an iterator once it reaches the text.
    """
    if isinstance(texts, str):
        raise invalid("One text must stand in a list, as [text].", field)
    if isinstance(texts, bytes | bytearray) or not isinstance(texts, Iterable):
        raise invalid(f"Expected an iterable of `str`, got `{type(texts).__name__}`.", field)
    if isinstance(texts, Sequence) and not len(texts):
        raise invalid("At least one text is needed.", field)
    answers = (result for start, batch in batches_of(texts, field, check) for result in answer(batch, start))
    return list(answers) if isinstance(texts, Sequence) else answers


def batches_of(
    texts: Iterable[Any], field: str, check: Callable[..., Any] = checked_text
) -> Iterator[tuple[int, list[Any]]]:
    """Yield texts that are to be answered together, with the number of the first."""
    batch: list[Any] = []
    start = num_characters = 0
    for number, text in enumerate(texts):
        batch.append(check(text, field, number))
        num_characters += len(text) if isinstance(text, str) else sum(map(len, text))
        if len(batch) == _TEXTS or num_characters >= _CHARACTERS:
            yield start, batch
            start, batch, num_characters = number + 1, [], 0
    if batch:
        yield start, batch
