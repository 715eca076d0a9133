"""Limits that routes have in common."""

from service.errors import FieldError, TooManyTextsError, pointer_to
from service.settings import Settings
from service.tasks.intake import TokenLimits


def check_number(num_texts: int, settings: Settings, field: str) -> None:
    """Refuse more texts than a request may have; raises TooManyTextsError."""
    if num_texts > settings.max_texts:
        detail = f"There are {num_texts} texts; the limit is {settings.max_texts} (max_texts)."
        pointer = pointer_to(field)
        raise TooManyTextsError(f"{pointer}: {detail}", [FieldError(pointer, detail)])


def token_limits(settings: Settings) -> TokenLimits:
    """Return the server's limits on tokens."""
    return TokenLimits(settings.max_tokens, settings.max_request_tokens)
