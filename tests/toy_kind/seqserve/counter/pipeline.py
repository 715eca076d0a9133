"""Texts to counts."""

from seqserve.counter.answers import CountResult
from seqserve.counter.model import CounterBundle
from seqserve.reading import Place, check_row


def read_text(text: str, bundle: CounterBundle, place: Place) -> list[str]:
    """Return the words of a text; raises InvalidRequestError and TextTooLongError."""
    words = text.split()
    check_row(len(words), bundle.manifest.limits.max_tokens, *place)
    return words


def result_of(count: int) -> CountResult:
    """Return an answer."""
    return CountResult(count=count)
