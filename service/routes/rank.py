"""POST /v1/rank: the best of several candidates."""

from flask import Blueprint, Response, request

from service.body import read_json
from service.context import exchange, service
from service.memory import trim_after
from service.routes.answers import json_answer
from service.routes.limits import check_number, token_limits
from service.schemas.rank import RankRequest
from service.tasks.rank import answer_rank

blueprint = Blueprint("rank", __name__)


@blueprint.post("/v1/rank")
def rank() -> Response:
    """Answer one request."""
    here, settings = exchange(), service().settings
    body = read_json(request, RankRequest, max_bytes=settings.max_body_bytes)
    check_number(len(body.candidates), settings, "candidates")
    model = service().registry.find(body.model, task="language-model")
    here.model = model.manifest.name
    response, timing, num_tokens = answer_rank(model, body, token_limits(settings), patience=here.patience)
    here.seconds["queue"] += timing.queue_s
    here.seconds["compute"] = timing.compute_s
    service().telemetry.count_tokens(model.manifest.name, num_tokens, kind="scored")
    answer = json_answer(response)
    answer.call_on_close(lambda: trim_after(num_tokens))
    return answer
