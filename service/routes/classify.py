"""POST /v1/classify: what a text is, as a whole."""

from collections.abc import Sequence

from flask import Blueprint

from service.answers import Answer, large_json_answer
from service.body import from_body
from service.context import Exchange, exchange
from service.engine.models import ClassifierModel
from service.memory import trim_after
from service.routes.limits import rows_of_texts
from service.schemas.classify import ClassifyRequest, ClassifyResponse
from service.tasks.classify import classify_tokens

blueprint = Blueprint("classify", __name__)


@blueprint.post("/v1/classify")
def classify() -> Answer:
    """Answer one request."""
    here = exchange()
    model, texts = from_body(here, ClassifyRequest, _read)
    results, timing = classify_tokens(model, texts, patience=here.patience)
    here.queue_s, here.compute_s = timing
    num_tokens = sum(map(len, texts))
    here.service.telemetry.count_tokens(model.manifest.name, num_tokens, kind="classified")
    here.at_end.append(lambda: trim_after(num_tokens))
    response = ClassifyResponse(model=model.manifest.name, version=model.manifest.version, results=results)
    return large_json_answer(response, num_items=len(texts), patience=here.patience)


def _read(here: Exchange, body: ClassifyRequest) -> tuple[ClassifierModel, Sequence[Sequence[str]]]:
    model = here.service.registry.find(body.model, task="classify")
    here.model = model.manifest.name
    longest = model.manifest.limits.max_tokens
    return model, rows_of_texts(body.text, model.bundle.tokenize, here.service.settings, longest=longest)
