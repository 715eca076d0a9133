"""POST /v1/score: the probability of texts."""

from collections.abc import Iterator

from flask import Blueprint, Response, request

from service.body import read_json
from service.context import exchange, service
from service.engine.waiting import beside_if_long
from service.errors import invalid, pointer_to
from service.memory import trim_after
from service.routes.answers import json_answer
from service.routes.limits import check_number, token_limits
from service.schemas.score import ScoreRequest, ScoreResponse
from service.tasks.intake import EncodedInput, Intake
from service.tasks.score import ScoreOptions, counts_eos, score_inputs
from service.tasks.sequences import Ids

blueprint = Blueprint("score", __name__)


@blueprint.post("/v1/score")
def score() -> Response:
    """Answer one request."""
    here, settings = exchange(), service().settings
    body = read_json(request, ScoreRequest, max_bytes=settings.max_body_bytes)
    _check_shape(body)
    model = service().registry.find(body.model, task="language-model")
    here.model = model.manifest.name
    eos = counts_eos(model, body.eos)
    check_number(len(_listed(body.text)), settings, "text")
    intake = Intake(model.bundle, token_limits(settings))
    inputs, contexts = beside_if_long(
        [*_listed(body.text), *_listed(body.context or "")], lambda: _encode(body, intake, eos=eos)
    )
    options = ScoreOptions(tokens="tokens" in body.include, top=body.top)
    results, timing = score_inputs(model, inputs, contexts, options, patience=here.patience)
    here.seconds["queue"] += timing.queue_s
    here.seconds["compute"] = timing.compute_s
    service().telemetry.count_tokens(model.manifest.name, intake.num_tokens, kind="scored")
    answer = json_answer(ScoreResponse(model=model.manifest.name, version=model.manifest.version, results=results))
    answer.call_on_close(lambda: trim_after(intake.num_tokens))
    return answer


def _check_shape(body: ScoreRequest) -> None:
    """Refuse what the types allow but makes no sense."""
    if body.text == []:
        raise invalid("At least one text is needed.", "text")
    if isinstance(body.context, list):
        num_texts = len(_listed(body.text))
        if len(body.context) != num_texts:
            raise invalid(
                f"There are {len(body.context)} contexts for {num_texts} texts: one for all or one per text is needed.",
                "context",
            )
    if body.top and "tokens" not in body.include:
        raise invalid('Alternatives are shown beside tokens: include must hold "tokens".', "top")


def _listed(text: str | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else text


def _encode(body: ScoreRequest, intake: Intake, *, eos: bool) -> tuple[list[EncodedInput], tuple[list[Ids], list[int]]]:
    """Encode contexts, the distinct ones and which one comes before each text, and texts."""
    texts = _listed(body.text)
    contexts = intake.encode_contexts(_contexts(body, len(texts)))
    places = ["/text"] if isinstance(body.text, str) else [pointer_to("text", index) for index in range(len(texts))]
    return [intake.encode(text, place, eos=eos) for text, place in zip(texts, places, strict=True)], contexts


def _contexts(body: ScoreRequest, num_texts: int) -> Iterator[tuple[str, str]]:
    """Yield what comes before each text, and its place in the body."""
    for index in range(num_texts):
        if isinstance(body.context, list):
            yield body.context[index], pointer_to("context", index)
        else:
            yield body.context or "", pointer_to("context")
