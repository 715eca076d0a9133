"""Stop strings, searched for in text that comes piece by piece."""

from collections.abc import Sequence


class StopSearch:
    """Pass text on until a stop string ends in it; a possible start of one is held back.

    The text is cut before the stop string that ends first; of several that end at the same place, before the longest.
    Each character costs O(1) per stop string, amortised (Knuth, Morris and Pratt, Fast pattern matching in strings,
    1977), also where they overlap themselves or each other.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._patterns = [_Pattern(stop) for stop in stops]
        self._held = ""
        self.is_found = False

    def push(self, piece: str) -> str:
        """Return the text that is safe now that `piece` has come; nothing any more once a stop string was found."""
        if self.is_found:
            return ""
        if not self._patterns:
            return piece
        text = self._held + piece
        for position, character in enumerate(piece, start=len(self._held) + 1):
            found = max([pattern.push(character) for pattern in self._patterns])
            if found:
                self.is_found = True
                self._held = ""
                return text[: position - found]
        num_held = max(pattern.num_matched for pattern in self._patterns)
        safe = len(text) - num_held
        self._held = text[safe:]
        return text[:safe]

    def end(self) -> str:
        """Return what was held back, when no more text comes."""
        held, self._held = self._held, ""
        return held


class _Pattern:
    """One stop string; its first `num_matched` characters are the end of the text so far."""

    __slots__ = ("_borders", "_text", "num_matched")

    def __init__(self, text: str) -> None:
        self._text = text
        self._borders = _borders(text)
        self.num_matched = 0

    def push(self, character: str) -> int:
        """Return the string's length when it ends with this character, else 0."""
        matched = self.num_matched
        while matched and self._text[matched] != character:
            matched = self._borders[matched - 1]
        if self._text[matched] == character:
            matched += 1
        self.num_matched = matched
        return matched if matched == len(self._text) else 0


def _borders(text: str) -> list[int]:
    """Return for each prefix the length of its longest proper prefix that is also its suffix."""
    borders = [0] * len(text)
    length = 0
    for position in range(1, len(text)):
        while length and text[position] != text[length]:
            length = borders[length - 1]
        if text[position] == text[length]:
            length += 1
        borders[position] = length
    return borders
