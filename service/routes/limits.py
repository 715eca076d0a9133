"""Limits as the routes of language models take them."""

from seqserve.reading import check_number as check_number_of
from seqserve.service.routes.work import limits_of
from seqserve.service.settings import Settings
from seqserve.service.tasks.read_texts import TokenLimits


def check_number(num_texts: int, settings: Settings, field: str) -> None:
    """Refuse more texts than a request may have; raises TooManyTextsError."""
    check_number_of(num_texts, limits_of(settings), field)


def token_limits(settings: Settings) -> TokenLimits:
    """Return the server's limits on tokens."""
    return TokenLimits(settings.max_tokens, settings.max_request_tokens)
