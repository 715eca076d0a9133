"""POST /v1/tag: names in text."""

from collections.abc import Sequence

from flask import Blueprint

from seqserve.errors import FieldError, InvalidRequestError, invalid, pointer_to, too_long
from seqserve.service.answers import Answer, large_json_answer
from seqserve.service.body import from_body
from seqserve.service.context import Exchange, exchange
from seqserve.service.engine.models import TaggerModel
from seqserve.service.memory import trim_after
from seqserve.service.routes.limits import check_number
from seqserve.service.schemas.tag import TagRequest, TagResponse
from seqserve.service.settings import Settings
from seqserve.service.tasks.tag import Document, TagOptions, document_of_text, document_of_tokens, tag_documents

blueprint = Blueprint("tag", __name__)

_MOST_ERRORS = 16
"""A request may have 100,000 faults; this many are listed."""


@blueprint.post("/v1/tag")
def tag() -> Answer:
    """Answer one request."""
    here = exchange()
    model, documents, options = from_body(here, TagRequest, _read)
    num_tokens = sum(len(document.tokens) for document in documents)
    num_items = options.num_items(num_tokens, num_tags=len(model.bundle.tags))
    here.expect_items(num_items)
    results, timing = tag_documents(model, documents, options, cancellation=here.cancellation)
    here.queue_s, here.compute_s = timing
    here.service.telemetry.count_tokens(model.manifest.name, num_tokens, kind="tagged")
    here.at_end.append(lambda: trim_after(num_tokens))
    response = TagResponse(model=model.manifest.name, version=model.manifest.version, results=results)
    return large_json_answer(response, num_items=num_items, cancellation=here.cancellation)


def _read(here: Exchange, body: TagRequest) -> tuple[TaggerModel, list[Document], TagOptions]:
    _check_shape(body)
    settings = here.service.settings
    model = here.service.registry.find(body.model, task="tag")
    here.model = model.manifest.name
    options = _options(body, model)
    name, texts = _texts(body)
    check_number(len(texts), settings, name)
    return model, _documents(body, model, settings), options


def _check_shape(body: TagRequest) -> None:
    """Refuse what the types allow but makes no sense."""
    if (body.text is None) == (body.tokens is None):
        detail = "Exactly one of text and tokens is needed."
        raise InvalidRequestError(detail, [FieldError(pointer_to(name), detail) for name in ("text", "tokens")])
    if body.text == []:
        raise invalid("At least one text is needed.", "text")
    if body.tokens is not None:
        _check_tokens(body.tokens)


def _check_tokens(tokens: Sequence[str | list[str]]) -> None:
    if len(set(map(type, tokens))) > 1:
        raise invalid("Tokens must be either all strings (one text) or all lists of strings (several).", "tokens")
    if all(tokens) and (isinstance(tokens[0], str) or all(map(all, tokens))) if tokens else True:
        return
    fields: list[FieldError] = []
    for index, item in enumerate(tokens):
        words, steps = ((item,), (index,)) if isinstance(item, str) else (item, None)
        for position, word in enumerate(words):
            if not word:
                fields.append(FieldError(pointer_to("tokens", *(steps or (index, position))), "A token is empty."))
        if len(fields) >= _MOST_ERRORS:
            break
    if fields:
        raise InvalidRequestError(f"{fields[0].pointer}: a token is empty.", fields[:_MOST_ERRORS])


def _options(body: TagRequest, model: TaggerModel) -> TagOptions:
    known = model.manifest.architecture.labels
    for index, label in enumerate(body.labels or []):
        if label not in known:
            raise invalid(f"The model's labels are {', '.join(known)}.", "labels", index)
    return TagOptions(
        labels=None if body.labels is None else frozenset(body.labels),
        min_score=body.min_score or 0.0,
        tokens="tokens" in body.include,
        tag_probs="tag_probs" in body.include,
    )


def _documents(body: TagRequest, model: TaggerModel, settings: Settings) -> list[Document]:
    """Tokenise every text; stops at the first that is too long."""
    name, texts = _texts(body)
    longest = model.manifest.limits.max_sentence_tokens
    documents, total = [], 0
    for index, text in enumerate(texts):
        if isinstance(text, str):
            document = document_of_text(text, max_sentence_tokens=longest, limit=settings.max_tokens)
        else:
            _check_length(len(text), settings, *_place(body, index))
            document = document_of_tokens(text, max_sentence_tokens=longest)
        _check_length(len(document.tokens), settings, *_place(body, index))
        total += len(document.tokens)
        if total > settings.max_request_tokens:
            most = settings.max_request_tokens
            raise too_long(
                f"The texts together have more than {most} tokens (max_queue_tokens): send fewer at a time.", name
            )
        documents.append(document)
    return documents


def _texts(body: TagRequest) -> tuple[str, Sequence[str | list[str]]]:
    """Return the name of the field that holds the texts, and the texts, always as a list."""
    if body.text is not None:
        return "text", [body.text] if isinstance(body.text, str) else body.text
    tokens = body.tokens or []
    one = not tokens or isinstance(tokens[0], str)
    return "tokens", [[word for word in tokens if isinstance(word, str)]] if one else tokens


def _place(body: TagRequest, index: int) -> tuple[str | int, ...]:
    """Return the steps to one text of the body."""
    name, _ = _texts(body)
    if isinstance(body.text, str) or (body.tokens and isinstance(body.tokens[0], str)):
        return (name,)
    return name, index


def _check_length(num_tokens: int, settings: Settings, *steps: str | int) -> None:
    if num_tokens > settings.max_tokens:
        raise too_long(f"This text has more than {settings.max_tokens} tokens (max_tokens).", *steps)
