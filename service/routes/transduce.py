"""POST /v1/transduce: another text for a text, such as its translation."""

from flask import Blueprint, Response, request

from bundle.beam import Search
from service.body import read_json
from service.context import exchange, service
from service.engine.waiting import beside_if_long
from service.memory import trim_after
from service.routes.answers import json_answer
from service.routes.limits import rows_of_texts
from service.schemas.transduce import TransduceRequest, TransduceResponse
from service.tasks.transduce import transduce_ids

blueprint = Blueprint("transduce", __name__)


@blueprint.post("/v1/transduce")
def transduce() -> Response:
    """Answer one request."""
    here, settings = exchange(), service().settings
    body = read_json(request, TransduceRequest, max_bytes=settings.max_body_bytes)
    model = service().registry.find(body.model, task="transduce")
    here.model = model.manifest.name
    longest = model.manifest.limits.max_source_tokens
    texts = beside_if_long(
        body.text,
        lambda: rows_of_texts(body.text, model.bundle.source_ids, settings, longest=longest, cost=body.beams),
    )
    search = Search(body.beams, body.max_tokens)
    results, timing = transduce_ids(model, texts, search, patience=here.patience)
    here.seconds["queue"] += timing.queue_s
    here.seconds["compute"] = timing.compute_s
    num_tokens = sum(map(len, texts))
    service().telemetry.count_tokens(model.manifest.name, num_tokens, kind="transduced")
    answer = json_answer(TransduceResponse(model=model.manifest.name, version=model.manifest.version, results=results))
    answer.call_on_close(lambda: trim_after(num_tokens * body.beams))
    return answer
