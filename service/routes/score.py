"""POST /v1/score: the probability of texts."""

from typing import Annotated

from msgspec import Meta

from seqserve.language.answers import ScoreResult
from seqserve.language.load import LANGUAGE_MODEL
from seqserve.language.options import ScoreOptions
from seqserve.language.pipeline.score import ScoreTask, check_score, read_score
from seqserve.language.scoring import score_sequences
from seqserve.reading import check_number, placed
from seqserve.service.answers import Answer
from seqserve.service.body import from_body
from seqserve.service.context import Exchange, exchange
from seqserve.service.engine.event_loop import in_turn_if_large
from seqserve.service.routes.route import ERRORS_OF_WORK, Route
from seqserve.service.routes.work import (
    LanguageModelName,
    QueuedRuns,
    Response,
    Scorer,
    find_model,
    finished,
    limits_of,
)


class ScoreRequest(ScoreOptions, forbid_unknown_fields=True, kw_only=True):
    """Texts whose probability is asked for."""

    model: LanguageModelName = None
    text: Annotated[str | list[str], Meta(description="One text or several.")]


class ScoreResponse(Response, kw_only=True):
    """One result per text, in order."""

    results: list[ScoreResult]


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
    response = ScoreResponse(model=model.manifest.name, version=model.manifest.version, results=results)
    return finished(here, model, response, "scored", num_tokens=num_tokens, num_items=task.num_items)


def _read(here: Exchange, body: ScoreRequest) -> tuple[Scorer, ScoreTask]:
    check_score(body.text, body)
    model = find_model(here, body.model, LANGUAGE_MODEL)
    limits, texts = limits_of(here.service.settings), placed(body.text)
    check_number(len(texts), limits, "text")
    return model, read_score(model.bundle, texts, body, limits)


ROUTE = Route(
    score,
    "POST",
    "/v1/score",
    "Give the probability of texts under a language model. Logarithms are natural where not said otherwise.",
    ScoreResponse,
    ScoreRequest,
    {
        "two readings": {"value": {"text": ["The apple and pear salad", "The apple and pair salad"]}},
        "token by token": {
            "value": {"text": "pear salad", "context": "The apple and", "eos": False, "include": ["tokens"], "top": 3}
        },
    },
    ERRORS_OF_WORK,
)
