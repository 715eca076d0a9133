"""Names in text: tokens, sentences, rows for the batcher, and entities with offsets of the whole text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import UNSET

from seqserve.rounding import rounded, rounded_all
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.engine.event_loop import in_turn_if_large
from seqserve.service.engine.models import TaggerModel
from seqserve.service.tasks.sequences import Timing
from seqserve.tagger.answers import Entity, TaggedToken, TagResult
from seqserve.tagger.model import TaggedSentence, TaggerBundle
from seqserve.text.sentences import split_sentences
from seqserve.text.tokenization import Token, tokenize

PERSON = "PER"


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its tokens and its sentences, which are half-open token ranges that cover all tokens in order."""

    text: str
    tokens: list[Token]
    sentences: list[tuple[int, int]]

    def rows(self) -> list[list[str]]:
        """Return the tokens of each sentence."""
        return [[token.text for token in self.tokens[start:end]] for start, end in self.sentences]


@dataclass(frozen=True, slots=True)
class TagOptions:
    """What of the answer is wanted; labels None keeps all."""

    labels: frozenset[str] | None = None
    min_score: float = 0.0
    tokens: bool = False
    tag_probs: bool = False

    def num_items(self, num_tokens: int, *, num_tags: int) -> int:
        """Return about how large an answer is, in items of 50 bytes: a name or a token is two of them."""
        found = num_tokens // 4
        if self.tokens or self.tag_probs:
            found += 2 * num_tokens
        return found + num_tokens * num_tags // 2 if self.tag_probs else found


def document_of_text(text: str, *, max_sentence_tokens: int, limit: int | None = None) -> Document:
    """Tokenise and split a text; with a limit, no more than limit + 1 tokens are looked for."""
    tokens = tokenize(text, limit=limit)
    return Document(text, tokens, split_sentences(text, tokens, max_tokens=max_sentence_tokens))


def document_of_tokens(words: Sequence[str], *, max_sentence_tokens: int) -> Document:
    """Take given tokens as one sentence of a text that joins them with single spaces; one too long is split."""
    tokens: list[Token] = []
    start = 0
    for word in words:
        tokens.append(Token(word, start, start + len(word)))
        start += len(word) + 1
    text = " ".join(words)
    if len(tokens) > max_sentence_tokens:
        return Document(text, tokens, split_sentences(text, tokens, max_tokens=max_sentence_tokens))
    return Document(text, tokens, [(0, len(tokens))] if tokens else [])


def tag_documents(
    model: TaggerModel, documents: Sequence[Document], options: TagOptions, *, cancellation: Cancellation
) -> tuple[list[TagResult], Timing]:
    """Tag documents through the model's batcher.

    Raises OverloadedError, DeadlineExceededError and InternalError.
    """
    num_tokens = sum(len(document.tokens) for document in documents)
    with model.batcher.admitted(num_tokens, cancellation.client):
        sentences = [row for document in documents for row in document.rows()]
        answer = model.batcher.submit(sentences, [len(sentence) for sentence in sentences], cancellation=cancellation)
    results = in_turn_if_large(
        num_tokens, lambda: _results(documents, answer.results, model.bundle, options), cancellation=cancellation
    )
    return results, Timing(answer.queue_s, answer.compute_s)


def _results(
    documents: Sequence[Document], results: Iterable[TaggedSentence], bundle: TaggerBundle, options: TagOptions
) -> list[TagResult]:
    tagged = iter(results)
    return [result_of(document, [next(tagged) for _ in document.sentences], bundle, options) for document in documents]


def result_of(
    document: Document, tagged: Sequence[TaggedSentence], bundle: TaggerBundle, options: TagOptions
) -> TagResult:
    """Turn the tagged sentences of one document into its answer."""
    entities = []
    is_name = [0] * len(document.tokens)
    for (offset, _), sentence in zip(document.sentences, tagged, strict=True):
        for (label, start, end), probability in sentence.entities():
            first, last = offset + start, offset + end
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
