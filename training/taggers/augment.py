"""Changed copies of training sentences: case, punctuation, other people's names."""

from collections.abc import Mapping, Sequence

import numpy as np

from seqserve.tagger.tags import spans_from_tags, tags_from_spans
from seqserve.text.forms import reading
from seqserve.text.tokenization import tokenize
from seqserve.training.reading.dataset import Example, Surfaces
from seqserve.training.taggers.config import AugmentConfig

Mentions = Mapping[str, list[np.ndarray]]  # label -> surface ids of its mentions


def _marks(before: str, after: str) -> tuple[list[str], list[str]]:
    tokens_before, tokens_after = ([token.text for token in tokenize(mark)] for mark in (before, after))
    return reading(tokens_before)[0], reading(tokens_after)[0]


MARKS = (
    *[_marks('"', '"')] * 3,
    _marks("'", "'"),
    _marks("(", ")"),
    _marks("*", "*"),
    _marks("**", "**"),
    _marks("<b>", "</b>"),
    _marks("[", "](https://example.org/a)"),
)

MARK_TOKENS = [token for marks in MARKS for mark in marks for token in mark]


class Augmenter:
    """Draws each epoch's version of each sentence; the same generator state gives the same version."""

    def __init__(self, config: AugmentConfig, surfaces: Surfaces, tags: Sequence[str], *, scheme: str):
        self._config = config
        self._surfaces = surfaces
        marks = MARKS if config.mark_mentions else ()
        self._marks = [(surfaces.ids(before), surfaces.ids(after)) for before, after in marks]
        self._tags = tuple(tags)
        self._tag_ids = {tag: i for i, tag in enumerate(tags)}
        self._scheme = scheme

    def mentions(self, examples: Sequence[Example]) -> Mentions:
        """Return the mentions of these sentences by label, to be swapped in elsewhere."""
        found: dict[str, list[np.ndarray]] = {}
        for example in examples:
            for span in spans_from_tags([self._tags[i] for i in example.tags]):
                found.setdefault(span.label, []).append(example.surfaces[span.start : span.end])
        return found

    def choose(self, served: Example, own: Example, generator: np.random.Generator) -> Example:
        """Draw whether a sentence has the tokens of the service or those of its file."""
        return own if self._config.own_tokens and generator.random() < self._config.own_tokens else served

    def draw(self, example: Example, mentions: Mentions, generator: np.random.Generator) -> Example:
        """Draw one version of a sentence; at most one change of case."""
        config = self._config
        if config.swap_mentions:
            example = self._swap(example, mentions, generator)
        if config.mention_alone and generator.random() < config.mention_alone:
            example = self._mention_of(example, generator)
        if config.mark_mentions and generator.random() < config.mark_mentions:
            example = self._marked(example, generator)
        if config.no_final_punctuation and generator.random() < config.no_final_punctuation:
            example = self._without_final_punctuation(example)
        choice = generator.random()
        if choice < config.lower:
            return Example(self._surfaces.lower[example.surfaces], example.tags)
        if choice < config.lower + config.upper:
            return Example(self._surfaces.upper[example.surfaces], example.tags)
        return example

    def _swap(self, example: Example, mentions: Mentions, generator: np.random.Generator) -> Example:
        if not example.tags.any() or generator.random() >= self._config.swap_mentions:
            return example
        pieces: list[np.ndarray] = []
        tags: list[str] = []
        position = 0
        for span in spans_from_tags([self._tags[i] for i in example.tags]):
            other = mentions[span.label][int(generator.integers(len(mentions[span.label])))]
            pieces += [example.surfaces[position : span.start], other]
            tags += ["O"] * (span.start - position)
            tags += tags_from_spans([span._replace(start=0, end=len(other))], len(other), self._scheme)
            position = span.end
        pieces.append(example.surfaces[position:])
        tags += ["O"] * (len(example) - position)
        return Example(np.concatenate(pieces), np.array([self._tag_ids[tag] for tag in tags], np.int64))

    def _mention_of(self, example: Example, generator: np.random.Generator) -> Example:
        spans = spans_from_tags([self._tags[i] for i in example.tags])
        if not spans:
            return example
        span = spans[int(generator.integers(len(spans)))]
        return Example(example.surfaces[span.start : span.end], example.tags[span.start : span.end])

    def _marked(self, example: Example, generator: np.random.Generator) -> Example:
        before, after = self._marks[int(generator.integers(len(self._marks)))]
        surfaces, tags = example.surfaces, example.tags
        for span in reversed(spans_from_tags([self._tags[i] for i in example.tags])):
            # The end first, so that places before it stay as they are.
            for place, mark in ((span.end, after), (span.start, before)):
                surfaces = np.insert(surfaces, place, mark)
                tags = np.insert(tags, place, np.full(len(mark), self._tag_ids["O"]))
        return Example(surfaces, tags)

    def _without_final_punctuation(self, example: Example) -> Example:
        last = int(example.surfaces[-1])
        is_letterless = self._surfaces.lower[last] == last and self._surfaces.upper[last] == last
        if len(example) < 2 or not is_letterless or example.tags[-1] != self._tag_ids["O"]:
            return example
        return Example(example.surfaces[:-1], example.tags[:-1])
