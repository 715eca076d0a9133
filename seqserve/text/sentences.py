"""Tokens to sentences: ranges of tokens short enough for a model."""

from collections.abc import Iterator, Sequence

from seqserve.text.layout import has_layout, layout_ends
from seqserve.text.starters import STARTERS, ends_before_starter
from seqserve.text.tokenization import Token, is_paragraph_break

_ENDS = frozenset(".!?…")
_ENDS_WITHOUT_SPACE = frozenset("。！？｡؟۔।॥")
_ENDING = _ENDS | _ENDS_WITHOUT_SPACE
_NOWHERE: frozenset[int] = frozenset()
_CLOSING = frozenset(("”", "’", "»", "''", "’’", ")", "]", "}", "」", "』", "）", "】"))
_STRAIGHT_QUOTES = frozenset(('"', "'"))
_OPENING = frozenset("“‘«¿¡([{「『（【`")


def split_sentences(text: str, tokens: Sequence[Token], *, max_tokens: int) -> list[tuple[int, int]]:
    """Return half-open ranges of tokens that cover all tokens in order, none empty or longer than `max_tokens`.

    A blank line always ends a sentence, and layout may (see `layout_ends`); so do . ! ? … before white space and a
    capital, digit, quote or letter without case. Abbreviations and initials keep their period inside the token and end
    nothing, but before a word such as "The" the period of "Inc." does. Closing quotes and brackets stay with the
    sentence that they close. Raises ValueError when max_tokens is below 1.
    """
    if max_tokens < 1:
        raise ValueError(f"max_tokens must be at least 1, not {max_tokens}")
    cuts = (_cut(tokens, start, end, max_tokens) for start, end in whole_sentences(text, tokens))
    return [each for sentence in cuts for each in sentence]


def whole_sentences(text: str, tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """Return the sentences as `split_sentences` does, however long they are."""
    if not tokens:
        return []
    sentences: list[tuple[int, int]] = []
    start = 0
    laid_out = has_layout(text)
    for end in _paragraph_ends(text, tokens) if laid_out else [len(tokens)]:
        by_layout = frozenset(layout_ends(text, tokens, start, end)) if laid_out else _NOWHERE
        for last in _sentence_ends(text, tokens, (start, end), by_layout):
            sentences.append((start, last))
            start = last
    return sentences


def windows(tokens: Sequence[Token], sentences: Sequence[tuple[int, int]], max_tokens: int) -> list[tuple[int, int]]:
    """Return ranges of at most `max_tokens` tokens that cover sentences, in order.

    A longer sentence is cut after punctuation where the second half of a range has some; elsewhere two ranges share a
    quarter of their tokens, so that a name at the cut is whole in one of them.
    """
    shared = max_tokens // 4
    ranges = []
    for start, end in sentences:
        while end - start > max_tokens:
            cut = _cut_after_punctuation(tokens, start, max_tokens)
            ranges.append((start, cut or start + max_tokens))
            start = cut or start + max_tokens - shared
        ranges.append((start, end))
    return ranges


def _paragraph_ends(text: str, tokens: Sequence[Token]) -> Iterator[int]:
    """Yield the position after the last token of each paragraph."""
    for position in range(1, len(tokens)):
        gap_start, gap_end = tokens[position - 1].end, tokens[position].start
        if gap_end - gap_start > 1 and is_paragraph_break(text, gap_start, gap_end):
            yield position
    yield len(tokens)


def _sentence_ends(
    text: str, tokens: Sequence[Token], paragraph: tuple[int, int], by_layout: frozenset[int]
) -> Iterator[int]:
    """Yield the position after the last token of each sentence of a paragraph, a half-open range of tokens."""
    start, end = paragraph
    ended = False  # a terminator was seen, and only closing quotes and brackets since
    abbreviated = False  # the token before has a period of its own
    open_quote = False  # an odd number of straight double quotes in this sentence
    for position in range(start, end):
        form = tokens[position].text
        if position > start and (
            (ended and _starts_sentence(text, tokens, position, open_quote=open_quote))
            or (abbreviated and form in STARTERS and ends_before_starter(tokens[position - 1].text))
            or position in by_layout
        ):
            yield position
            start, ended, open_quote = position, False, False
        last = form[-1]
        abbreviated = last == "."
        if last in _ENDING and _is_end(form):
            # "1." or "b." at the beginning numbers what follows.
            ended = not (position == start + 1 and _is_number(tokens[start].text))
        elif last == '"' and form == '"':
            open_quote = not open_quote
        elif form not in _CLOSING and form not in _STRAIGHT_QUOTES:
            ended = False
    yield end


def _is_end(token: str) -> bool:
    return token[0] in _ENDS or token[-1] in _ENDS_WITHOUT_SPACE or token in ("etc.", "Etc.")


def _is_number(token: str) -> bool:
    return len(token) <= 3 and (token.isdecimal() or (len(token) == 1 and token.isalpha() and token != "I"))


def _starts_sentence(text: str, tokens: Sequence[Token], position: int, *, open_quote: bool) -> bool:
    """Say whether a token that follows a terminator (and perhaps closing quotes) begins the next sentence."""
    before, token = tokens[position - 1], tokens[position]
    if token.text in _CLOSING or (token.text == '"' and open_quote):
        return False
    if before.text[-1] in _ENDS_WITHOUT_SPACE:
        return True
    if not any(map(str.isspace, text[before.end : token.start])):
        return False
    if token.text in _STRAIGHT_QUOTES:
        # An opening quote touches what it quotes.
        return position + 1 < len(tokens) and tokens[position + 1].start == token.end
    first = token.text[0]
    return first in _OPENING or first.isupper() or first.isdecimal() or (first.isalpha() and not first.islower())


def _cut(tokens: Sequence[Token], start: int, end: int, max_tokens: int) -> Iterator[tuple[int, int]]:
    """Cut a range that is too long, after punctuation in the second half of what is allowed where there is some."""
    while end - start > max_tokens:
        cut = _cut_after_punctuation(tokens, start, max_tokens) or start + max_tokens
        yield start, cut
        start = cut
    yield start, end


def _cut_after_punctuation(tokens: Sequence[Token], start: int, max_tokens: int) -> int | None:
    after = range(start + max_tokens, start + max_tokens // 2, -1)
    return next((place for place in after if not tokens[place - 1].text[0].isalnum()), None)
