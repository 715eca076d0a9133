"""POST /v1/classify: what a text is, as a whole."""

from collections.abc import Sequence

from flask import Blueprint

from seqserve.service.answers import Answer, large_json_answer
from seqserve.service.body import from_body
from seqserve.service.context import Exchange, exchange
from seqserve.service.engine.models import ClassifierModel
from seqserve.service.memory import trim_after
from seqserve.service.routes.limits import rows_of_texts
from seqserve.service.schemas.classify import ClassifyRequest, ClassifyResponse
from seqserve.service.tasks.classify import classify_tokens

blueprint = Blueprint("classify", __name__)


@blueprint.post("/v1/classify")
def classify() -> Answer:
    """Answer one request."""
    here = exchange()
    model, texts = from_body(here, ClassifyRequest, _read)
    results, timing = classify_tokens(model, texts, cancellation=here.cancellation)
    here.queue_s, here.compute_s = timing
    num_tokens = sum(map(len, texts))
    here.service.telemetry.count_tokens(model.manifest.name, num_tokens, kind="classified")
    here.at_end.append(lambda: trim_after(num_tokens))
    response = ClassifyResponse(model=model.manifest.name, version=model.manifest.version, results=results)
    return large_json_answer(response, num_items=len(texts), cancellation=here.cancellation)


def _read(here: Exchange, body: ClassifyRequest) -> tuple[ClassifierModel, Sequence[Sequence[str]]]:
    model = here.service.registry.find(body.model, task="classify")
    here.model = model.manifest.name
    longest = model.manifest.limits.max_tokens
    return model, rows_of_texts(body.text, model.bundle.tokenize, here.service.settings, longest=longest)
