"""POST /v1/classify: what a text is, as a whole."""

from flask import Blueprint, Response, request

from service.body import read_json
from service.context import exchange, service
from service.engine.waiting import beside_if_long
from service.memory import trim_after
from service.routes.answers import json_answer
from service.routes.limits import rows_of_texts
from service.schemas.classify import ClassifyRequest, ClassifyResponse
from service.tasks.classify import classify_tokens

blueprint = Blueprint("classify", __name__)


@blueprint.post("/v1/classify")
def classify() -> Response:
    """Answer one request."""
    here, settings = exchange(), service().settings
    body = read_json(request, ClassifyRequest, max_bytes=settings.max_body_bytes)
    model = service().registry.find(body.model, task="classify")
    here.model = model.manifest.name
    longest = model.manifest.limits.max_tokens
    texts = beside_if_long(
        body.text, lambda: rows_of_texts(body.text, model.bundle.tokenize, settings, longest=longest)
    )
    results, timing = classify_tokens(model, texts, patience=here.patience)
    here.seconds["queue"] += timing.queue_s
    here.seconds["compute"] = timing.compute_s
    num_tokens = sum(map(len, texts))
    service().telemetry.count_tokens(model.manifest.name, num_tokens, kind="classified")
    answer = json_answer(ClassifyResponse(model=model.manifest.name, version=model.manifest.version, results=results))
    answer.call_on_close(lambda: trim_after(num_tokens))
    return answer
