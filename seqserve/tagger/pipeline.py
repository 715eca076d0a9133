"""Names in text: tokens, sentences, rows for the tagger, and entities with offsets of the whole text."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Literal

import numpy as np
from msgspec import UNSET, Meta

from seqserve.answers import Probability
from seqserve.errors import FieldError, InvalidRequestError, invalid, pointer_to
from seqserve.reading import Limits, Place, check_length
from seqserve.rounding import rounded, rounded_all
from seqserve.tagger.answers import Entity, TaggedToken, TagResult
from seqserve.tagger.decoding import BEST_PATH, EXPECTED_F1, Decode, by_expected_f1
from seqserve.tagger.document import Document, document_of_text, document_of_tokens
from seqserve.tagger.model import TaggedSentence, TaggerBundle
from seqserve.text.forms import form_of

PERSON = "PER"

Labels = Annotated[list[str] | None, Meta(description="Keep only entities of these labels.")]
MinScore = Annotated[Probability | None, Meta(description="Keep only entities with at least this score.")]
Include = Annotated[
    list[Literal["tokens", "tag_probs"]],
    Meta(description="`tokens` adds every token; `tag_probs` adds them with the distribution over tags."),
]

_MOST_ERRORS = 16
"""A call may have 100,000 faults; this many are listed."""


@dataclass(frozen=True, slots=True)
class TagOptions:
    """What of the answer is wanted; labels None keeps all.

    span_threshold: decode by expected F1 with this threshold; None: the best path.
    """

    labels: frozenset[str] | None = None
    min_score: float = 0.0
    tokens: bool = False
    tag_probs: bool = False
    span_threshold: float | None = None

    def num_items(self, num_tokens: int, *, num_tags: int) -> int:
        """Return about how large an answer is, in items of 50 bytes: a name or a token is two of them."""
        found = num_tokens // 4
        if self.tokens or self.tag_probs:
            found += 2 * num_tokens
        return found + num_tokens * num_tags // 2 if self.tag_probs else found


def read_text(text: str, bundle: TaggerBundle, limits: Limits, place: Place) -> Document:
    """Tokenise and split the text at a place of a call; raises TextTooLongError."""
    longest = bundle.manifest.limits.max_sentence_tokens
    document = document_of_text(text, max_sentence_tokens=longest, limit=limits.max_tokens)
    check_length(len(document), limits, *place)
    return document


def read_tokens(words: Sequence[str], bundle: TaggerBundle, limits: Limits, place: Place) -> Document:
    """Take the tokens at a place of a call; raises TextTooLongError."""
    check_length(len(words), limits, *place)
    return document_of_tokens(words, max_sentence_tokens=bundle.manifest.limits.max_sentence_tokens)


def check_tokens(texts: Iterable[tuple[Sequence[str], Place]]) -> None:
    """Refuse empty tokens; raises InvalidRequestError with the places of the first ones."""
    fields: list[FieldError] = []
    for words, place in texts:
        if not all(words):
            places = [pointer_to(*place, position) for position, word in enumerate(words) if not word]
            fields += [FieldError(each, "A token is empty.") for each in places]
        if len(fields) >= _MOST_ERRORS:
            break
    if fields:
        raise InvalidRequestError(f"{fields[0].pointer}: a token is empty.", fields[:_MOST_ERRORS])


def make_options(
    bundle: TaggerBundle,
    *,
    labels: Sequence[str] | None,
    min_score: float | None,
    include: Sequence[str],
    decode: Decode = BEST_PATH,
) -> TagOptions:
    """Return what is wanted of a bundle's answers.

    Raises InvalidRequestError on a label that it does not have and on a way of decoding that it has no output for.
    """
    known = bundle.manifest.architecture.labels
    for index, label in enumerate(labels or []):
        if label not in known:
            raise invalid(f"The model's labels are {', '.join(known)}.", "labels", index)
    manifest = bundle.manifest
    if decode not in manifest.decodings:
        raise invalid(
            f"The bundle {manifest.name} {manifest.version} gives no posteriors of all spans, which {decode} needs: "
            "export the model again with this release.",
            "decode",
        )
    return TagOptions(
        labels=None if labels is None else frozenset(labels),
        min_score=min_score or 0.0,
        tokens="tokens" in include,
        tag_probs="tag_probs" in include,
        span_threshold=manifest.span_threshold if decode == EXPECTED_F1 else None,
    )


def decoded(tagged: Iterable[TaggedSentence], bundle: TaggerBundle, options: TagOptions) -> Sequence[TaggedSentence]:
    """Return tagged rows as the options decode them."""
    if options.span_threshold is None:
        return list(tagged)
    scheme = bundle.manifest.architecture.scheme
    return [by_expected_f1(row, bundle.tags, scheme=scheme, threshold=options.span_threshold) for row in tagged]


def results_of(
    documents: Iterable[Document], results: Iterable[TaggedSentence], bundle: TaggerBundle, options: TagOptions
) -> list[TagResult]:
    """Turn the tagged rows of documents, in order, into their answers."""
    tagged = iter(results)
    return [result_of(document, list(islice(tagged, len(document.rows))), bundle, options) for document in documents]


def result_of(
    document: Document, tagged: Sequence[TaggedSentence], bundle: TaggerBundle, options: TagOptions
) -> TagResult:
    """Turn the tagged rows of one document into its answer.

    An entity does not begin or end with a token without letter or digit, unless those of the training did (see
    `span_edges` of the manifest). Its score is that of the span before such tokens were cut off.
    """
    entities = []
    edges = bundle.manifest.tokenization.span_edges
    is_name = [0] * len(document.tokens)
    tagged = document.sentences_of(decoded(tagged, bundle, options), bundle.tags)
    for (offset, _), sentence in zip(document.sentences, tagged, strict=True):
        for (label, start, end), probability in sentence.entities():
            first, last = offset + start, offset + end
            if edges is not UNSET:
                first, last = _trimmed(document, first, last, edges)
                if first == last:
                    continue
            if label == PERSON:
                is_name[first:last] = [1] * (last - first)
            score = rounded(probability)
            if (options.labels is not None and label not in options.labels) or score < options.min_score:
                continue
            entities.append(_entity(document, label, (first, last), score))
    wants_tokens = options.tokens or options.tag_probs
    tokens = list(_tokens(document, tagged, bundle, is_name)) if wants_tokens else UNSET
    if options.tag_probs and tokens:
        _add_tag_probs(tokens, tagged, bundle)
    return TagResult(entities=entities, tokens=tokens)


def _trimmed(document: Document, first: int, last: int, edges: Collection[str]) -> tuple[int, int]:
    """Return a span without the tokens at its edges that hold no letter or digit and are none of `edges`."""
    tokens = document.tokens
    while first < last and not _may_be_edge(tokens[first].text, edges):
        first += 1
    while first < last and not _may_be_edge(tokens[last - 1].text, edges):
        last -= 1
    return first, last


def _may_be_edge(token: str, edges: Collection[str]) -> bool:
    form = form_of(token)
    return form in edges or any(map(str.isalnum, form))


def _entity(document: Document, label: str, span: tuple[int, int], score: float) -> Entity:
    start, end = document.tokens[span[0]].start, document.tokens[span[1] - 1].end
    return Entity(
        text=document.text[start:end],
        label=label,
        start=start,
        end=end,
        token_start=span[0],
        token_end=span[1],
        score=score,
    )


def _tokens(
    document: Document, tagged: Iterable[TaggedSentence], bundle: TaggerBundle, is_name: Sequence[int]
) -> Iterable[TaggedToken]:
    index_of = {tag: index for index, tag in enumerate(bundle.tags)}
    position = 0
    for sentence in tagged:
        chosen = [index_of[tag] for tag in sentence.tags]
        scores = rounded_all(sentence.tag_probs[np.arange(len(chosen)), chosen])
        for tag, score in zip(sentence.tags, scores, strict=True):
            token = document.tokens[position]
            yield TaggedToken(
                text=token.text,
                start=token.start,
                end=token.end,
                tag=tag,
                is_name=1 if is_name[position] else 0,
                score=score,
            )
            position += 1


def _add_tag_probs(tokens: Sequence[TaggedToken], tagged: Iterable[TaggedSentence], bundle: TaggerBundle) -> None:
    rows = (row for sentence in tagged for row in rounded_all(sentence.tag_probs))
    for token, row in zip(tokens, rows, strict=True):
        token.tag_probs = dict(zip(bundle.tags, row, strict=True))
