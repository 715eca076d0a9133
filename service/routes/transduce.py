"""POST /v1/transduce: another text for a text, such as its translation."""

import time
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from seqserve.reading import check_number, placed, read_texts
from seqserve.service.answers import Answer
from seqserve.service.body import from_body
from seqserve.service.context import Exchange, exchange
from seqserve.service.engine.cancellation import late
from seqserve.service.engine.models import TransducerModel
from seqserve.service.routes.route import ERRORS_OF_WORK, Route
from seqserve.service.routes.work import Response, find_model, finished, limits_of, run_rows
from seqserve.transducer.answers import TransduceResult
from seqserve.transducer.beam import Search
from seqserve.transducer.load import TRANSDUCER
from seqserve.transducer.model import TransduceRow
from seqserve.transducer.pipeline import DEFAULT_TOKENS, Beams, MaxTokens, expected_cost, read_text, result_of


class TransduceRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Texts to be turned into other texts, such as translations."""

    model: Annotated[
        str | None, Meta(description="Name of an encoder-decoder; absent: the default (see `default` in /v1/models).")
    ] = None
    text: Annotated[str | list[str], Meta(description="One text or several, each of at least one token.")]
    max_tokens: MaxTokens = DEFAULT_TOKENS
    beams: Beams = 1


class TransduceResponse(Response, kw_only=True):
    """One result per text, in order."""

    results: list[TransduceResult]


def transduce() -> Answer:
    """Answer one request; the deadline is checked between tokens."""
    here = exchange()
    model, texts, search = from_body(here, TransduceRequest, _read)
    results = transduce_ids(here, model, texts, search)
    response = TransduceResponse(model=model.manifest.name, version=model.manifest.version, results=results)
    num_tokens = sum(map(len, texts))
    return finished(here, model, response, "transduced", num_tokens=num_tokens, num_items=len(texts))


def _read(here: Exchange, body: TransduceRequest) -> tuple[TransducerModel, list[NDArray[np.int32]], Search]:
    model = find_model(here, body.model, TRANSDUCER)
    limits, texts = limits_of(here.service.settings), placed(body.text)
    check_number(len(texts), limits, "text")
    rows = read_texts(texts, lambda text, place: read_text(text, model.bundle, place), limits, cost=body.beams)
    return model, rows, Search(body.beams, body.max_tokens)


def transduce_ids(
    here: Exchange, model: TransducerModel, texts: list[NDArray[np.int32]], search: Search
) -> list[TransduceResult]:
    """Answer texts, each as its source ids, sharing runs with other requests that wait."""
    rows = [TransduceRow(ids, search, here.cancellation.deadline) for ids in texts]
    found = run_rows(here, model, rows, [expected_cost(len(ids), search) for ids in texts])
    if here.cancellation.is_over(time.monotonic()):  # the results may have been cut off
        raise late()
    return [result_of(model.bundle, each) for each in found]


ROUTE = Route(
    transduce,
    "POST",
    "/v1/transduce",
    "Turn texts into other texts, such as translations, with an encoder-decoder, greedily or by beam search.",
    TransduceResponse,
    TransduceRequest,
    {"by a beam of five": {"value": {"text": ["I am happy.", "Where is Tom?"], "beams": 5}}},
    ERRORS_OF_WORK,
)
