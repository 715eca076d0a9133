"""POST /v1/score: the probability of texts."""

from typing import Annotated

from flask import Blueprint
from msgspec import Meta, Struct

from seqserve.language.answers import ScoreResult
from seqserve.language.options import ScoreOptions
from seqserve.language.pipeline.score import ScoreTask, check_score, read_score
from seqserve.language.scoring import score_sequences
from seqserve.reading import placed
from seqserve.service.answers import Answer, large_json_answer
from seqserve.service.body import from_body
from seqserve.service.context import Exchange, exchange
from seqserve.service.engine.event_loop import in_turn_if_large
from seqserve.service.engine.models import LanguageModel
from seqserve.service.engine.scoring import QueuedRuns
from seqserve.service.memory import trim_after
from seqserve.service.routes.limits import check_number, token_limits

blueprint = Blueprint("score", __name__)


class ScoreRequest(ScoreOptions, forbid_unknown_fields=True, kw_only=True):
    """Texts whose probability is asked for."""

    model: Annotated[
        str | None, Meta(description="Name of a language model; absent: the only one, or the first by name.")
    ] = None
    text: Annotated[str | list[str], Meta(description="One text or several.")]


class ScoreResponse(Struct, kw_only=True):
    """One result per text, in order."""

    model: str
    version: str
    results: list[ScoreResult]


@blueprint.post("/v1/score")
def score() -> Answer:
    """Answer one request."""
    here = exchange()
    model, task = from_body(here, ScoreRequest, _read)
    here.expect_items(task.num_items)
    num_tokens = task.sequences.num_tokens
    run = QueuedRuns(model, here.cancellation)
    with model.batcher.admitted(num_tokens, here.cancellation.client):
        scores = score_sequences(run, task.sequences, model.manifest, num_top=task.num_top)
        # Within the queue's limit, because alternatives of many tokens take much memory.
        results = in_turn_if_large(
            num_tokens * max(1, task.top), lambda: task.results(scores), cancellation=here.cancellation
        )
    here.queue_s, here.compute_s = run.queue_s, run.compute_s
    here.service.telemetry.count_tokens(model.manifest.name, num_tokens, kind="scored")
    here.at_end.append(lambda: trim_after(num_tokens))
    response = ScoreResponse(model=model.manifest.name, version=model.manifest.version, results=results)
    return large_json_answer(response, num_items=task.num_items, cancellation=here.cancellation)


def _read(here: Exchange, body: ScoreRequest) -> tuple[LanguageModel, ScoreTask]:
    settings = here.service.settings
    check_score(body.text, body)
    model = here.service.registry.find(body.model, task="language-model")
    here.model = model.manifest.name
    if isinstance(body.text, list):
        check_number(len(body.text), settings, "text")
    return model, read_score(model.bundle, placed(body.text), body, token_limits(settings))
