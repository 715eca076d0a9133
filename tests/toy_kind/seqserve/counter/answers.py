"""What a counter answers."""

from msgspec import Struct


class CountResult(Struct, kw_only=True):
    """The words of one text, times the model's weight."""

    count: int
