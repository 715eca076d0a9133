"""Limits that routes have in common."""

from collections.abc import Callable, Sized
from typing import TypeVar

from seqserve.errors import FieldError, TooManyTextsError, invalid, pointer_to, too_long
from seqserve.reading import Limits
from seqserve.service.settings import Settings

Row = TypeVar("Row", bound=Sized)


def rows_of_texts(
    text: str | list[str], row_of: Callable[[str], Row], settings: Settings, *, longest: int, cost: int = 1
) -> list[Row]:
    """Tokenise the texts of a body's field `text`; stops at the first that is empty or too long.

    row_of: at most one token more than `longest`, the most that the model takes. cost: of a token in the queue.
    Raises InvalidRequestError, TooManyTextsError and TextTooLongError.
    """
    if text == []:
        raise invalid("At least one text is needed.", "text")
    texts = [text] if isinstance(text, str) else text
    check_number(len(texts), settings, "text")
    rows: list[Row] = []
    total = 0
    for index, each in enumerate(texts):
        steps = ("text",) if isinstance(text, str) else ("text", index)
        row = row_of(each)
        if not len(row):
            raise invalid("This text has no token: nothing can be said of it.", *steps)
        if len(row) > longest:
            raise too_long(f"This text has more than {longest} tokens, the most that the model takes.", *steps)
        rows.append(row)
        total += cost * len(row)
        if total > settings.max_request_tokens:
            most, times = settings.max_request_tokens, f", times {cost}," if cost > 1 else ""
            raise too_long(
                f"The texts together have more than {most} tokens{times} (max_queue_tokens): send fewer at a time.",
                "text",
            )
    return rows


def check_number(num_texts: int, settings: Settings, field: str) -> None:
    """Refuse more texts than a request may have; raises TooManyTextsError."""
    if num_texts > settings.max_texts:
        detail = f"There are {num_texts} texts; the limit is {settings.max_texts} (max_texts)."
        pointer = pointer_to(field)
        raise TooManyTextsError(f"{pointer}: {detail}", [FieldError(pointer, detail)])


def token_limits(settings: Settings) -> Limits:
    """Return the server's limits on tokens."""
    return Limits(settings.max_texts, settings.max_tokens, settings.max_request_tokens)
