"""POST /v1/tag: entities in text."""

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from seqserve.errors import FieldError, InvalidRequestError, invalid, pointer_to
from seqserve.reading import Place, check_number, placed, read_texts
from seqserve.service.answers import Answer
from seqserve.service.body import from_body
from seqserve.service.context import Exchange, exchange
from seqserve.service.engine.event_loop import in_turn_if_large
from seqserve.service.engine.models import TaggerModel
from seqserve.service.routes.route import ERRORS_OF_WORK, Route
from seqserve.service.routes.work import Response, find_model, finished, limits_of, run_rows
from seqserve.tagger.answers import TagResult
from seqserve.tagger.decoding import BEST_PATH, Decode
from seqserve.tagger.document import Document
from seqserve.tagger.load import TAGGER
from seqserve.tagger.pipeline import (
    Include,
    Labels,
    MinScore,
    TagOptions,
    check_tokens,
    make_options,
    read_text,
    read_tokens,
    results_of,
)


class TagRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Texts to find entities in: either `text` or `tokens`."""

    model: Annotated[
        str | None, Meta(description="Name of a tagger; absent: the default (see `default` in /v1/models).")
    ] = None
    text: Annotated[str | list[str] | None, Meta(description="One text or several.")] = None
    tokens: Annotated[
        list[str | list[str]] | None,
        Meta(description="One text already tokenised, or a list of such. No token is empty."),
    ] = None
    labels: Labels = None
    min_score: MinScore = None
    include: Include = []
    decode: Decode = BEST_PATH


class TagResponse(Response, kw_only=True):
    """One result per text, in order."""

    results: list[TagResult]


def tag() -> Answer:
    """Answer one request."""
    here = exchange()
    model, documents, options = from_body(here, TagRequest, _read)
    num_tokens = sum(map(len, documents))
    num_items = options.num_items(num_tokens, num_tags=len(model.bundle.tags))
    here.expect_items(num_items)
    sentences = [row for document in documents for row in document.rows]
    tagged = run_rows(here, model, sentences, [len(sentence) for sentence in sentences])
    results = in_turn_if_large(
        num_tokens, lambda: results_of(documents, tagged, model.bundle, options), cancellation=here.cancellation
    )
    response = TagResponse(model=model.manifest.name, version=model.manifest.version, results=results)
    return finished(here, model, response, "tagged", num_tokens=num_tokens, num_items=num_items)


def _read(here: Exchange, body: TagRequest) -> tuple[TaggerModel, list[Document], TagOptions]:
    if (body.text is None) == (body.tokens is None):
        detail = "Exactly one of text and tokens is needed."
        raise InvalidRequestError(detail, [FieldError(pointer_to(name), detail) for name in ("text", "tokens")])
    texts = _placed_tokens(body.tokens) if body.text is None else placed(body.text)
    if not texts:
        raise invalid("At least one text is needed.", "text")
    model = find_model(here, body.model, TAGGER)
    options = make_options(
        model.bundle, labels=body.labels, min_score=body.min_score, include=body.include, decode=body.decode
    )
    limits = limits_of(here.service.settings)
    check_number(len(texts), limits, str(texts[0][1][0]))

    def read(text: str | Sequence[str], place: Place) -> Document:
        if isinstance(text, str):
            return read_text(text, model.bundle, limits, place)
        return read_tokens(text, model.bundle, limits, place)

    return model, read_texts(texts, read, limits), options


def _placed_tokens(tokens: Sequence[str | list[str]] | None) -> list[tuple[Any, Place]]:
    """Return the token lists of the field `tokens`, one or several, each with its place; none is empty."""
    if not tokens or isinstance(tokens[0], str):
        found: list[tuple[Any, Place]] = [(tokens or [], ("tokens",))]
    else:
        found = placed(tokens, "tokens")
    if len(set(map(type, tokens or []))) > 1:
        raise invalid("Tokens must be either all strings (one text) or all lists of strings (several).", "tokens")
    check_tokens(found)
    return found


ROUTE = Route(
    tag,
    "POST",
    "/v1/tag",
    "Find entities in texts. Offsets count code points of the text as it was sent.",
    TagResponse,
    TagRequest,
    {
        "one text": {"value": {"text": 'He said, "Teddy Roosevelt was a great President."'}},
        "tokens": {"value": {"tokens": [["Harry", "Potter", "invented", "a", "spell"]], "include": ["tokens"]}},
    },
    ERRORS_OF_WORK,
)
