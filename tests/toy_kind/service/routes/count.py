"""POST /v1/count: the words of texts."""

from typing import Any

from msgspec import Struct

from seqserve.counter.answers import CountResult
from seqserve.counter.load import COUNTER
from seqserve.counter.pipeline import read_text, result_of
from seqserve.reading import check_number, placed, read_texts
from seqserve.service.answers import Answer
from seqserve.service.body import from_body
from seqserve.service.context import Exchange, exchange
from seqserve.service.routes.route import ERRORS_OF_WORK, Route
from seqserve.service.routes.work import find_model, finished, limits_of, run_rows


class CountRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Texts to be counted."""

    model: str | None = None
    text: str | list[str]


class CountResponse(Struct, kw_only=True):
    """One result per text, in order."""

    model: str
    version: str
    results: list[CountResult]


def count() -> Answer:
    """Answer one request."""
    here = exchange()
    model, rows = from_body(here, CountRequest, _read)
    lengths = [len(row) for row in rows]
    results = [result_of(found) for found in run_rows(here, model, rows, lengths)]
    response = CountResponse(model=model.manifest.name, version=model.manifest.version, results=results)
    return finished(here, model, response, "counted", num_tokens=sum(lengths), num_items=len(rows))


def _read(here: Exchange, body: CountRequest) -> tuple[Any, list[list[str]]]:
    model = find_model(here, body.model, COUNTER)
    limits, texts = limits_of(here.service.settings), placed(body.text)
    check_number(len(texts), limits, "text")
    return model, read_texts(texts, lambda text, place: read_text(text, model.bundle, place), limits)


ROUTE = Route(
    count,
    "POST",
    "/v1/count",
    "Count the words of texts.",
    CountResponse,
    CountRequest,
    {"one text": {"value": {"text": "one two"}}},
    ERRORS_OF_WORK,
)
