"""POST /v1/classify: labels for whole texts."""

from typing import Annotated

from msgspec import Meta, Struct

from seqserve.classifier.answers import ClassifyResult
from seqserve.classifier.load import CLASSIFIER
from seqserve.classifier.pipeline import read_text, result_of
from seqserve.reading import check_number, placed, read_texts
from seqserve.service.answers import Answer
from seqserve.service.body import from_body
from seqserve.service.context import Exchange, exchange
from seqserve.service.engine.models import ClassifierModel
from seqserve.service.routes.route import ERRORS_OF_WORK, Route
from seqserve.service.routes.work import Response, find_model, finished, limits_of, run_rows


class ClassifyRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Texts to be labelled, each as a whole."""

    model: Annotated[
        str | None, Meta(description="Name of a classifier; absent: the default (see `default` in /v1/models).")
    ] = None
    text: Annotated[str | list[str], Meta(description="One text or several, each of at least one token.")]


class ClassifyResponse(Response, kw_only=True):
    """One result per text, in order."""

    results: list[ClassifyResult]


def classify() -> Answer:
    """Answer one request."""
    here = exchange()
    model, texts = from_body(here, ClassifyRequest, _read)
    lengths = [len(tokens) for tokens in texts]
    results = [result_of(probs, model.bundle.labels) for probs in run_rows(here, model, texts, lengths)]
    response = ClassifyResponse(model=model.manifest.name, version=model.manifest.version, results=results)
    return finished(here, model, response, "classified", num_tokens=sum(lengths), num_items=len(texts))


def _read(here: Exchange, body: ClassifyRequest) -> tuple[ClassifierModel, list[list[str]]]:
    model = find_model(here, body.model, CLASSIFIER)
    limits, texts = limits_of(here.service.settings), placed(body.text)
    check_number(len(texts), limits, "text")
    return model, read_texts(texts, lambda text, place: read_text(text, model.bundle, place), limits)


ROUTE = Route(
    classify,
    "POST",
    "/v1/classify",
    "Say what texts are, each as a whole, with the probability of every label.",
    ClassifyResponse,
    ClassifyRequest,
    {"two texts": {"value": {"text": ["where have you been", "I was at home"]}}},
    ERRORS_OF_WORK,
)
