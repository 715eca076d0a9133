"""POST /v1/rank: the best of several candidates."""

from typing import Annotated

from msgspec import Meta

from seqserve.language.answers import RankedCandidate
from seqserve.language.load import LANGUAGE_MODEL
from seqserve.language.options import RankOptions
from seqserve.language.pipeline.rank import RankTask, read_rank
from seqserve.language.scoring import score_sequences
from seqserve.reading import check_number
from seqserve.service.answers import Answer
from seqserve.service.body import from_body
from seqserve.service.context import Exchange, exchange
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


class RankRequest(RankOptions, forbid_unknown_fields=True, kw_only=True):
    """Candidates to choose among, as of an n-best list of speech recognition or translation."""

    model: LanguageModelName = None


class RankResponse(Response, kw_only=True):
    """The candidates, best first; of equal ones the first that was sent comes first."""

    best: Annotated[int, Meta(description="Index of the best candidate in the request.")]
    ranking: list[RankedCandidate]


def rank() -> Answer:
    """Answer one request."""
    here = exchange()
    model, task = from_body(here, RankRequest, _read)
    num_tokens = task.sequences.num_tokens
    run = QueuedRuns(model, here.cancellation)
    with model.batcher.admitted(num_tokens, here.cancellation.client):
        scores = score_sequences(run, task.sequences, model.manifest)
    here.queue_s, here.compute_s = run.queue_s, run.compute_s
    ranking = task.ranking(scores)
    name, version = model.manifest.name, model.manifest.version
    response = RankResponse(model=name, version=version, best=ranking[0].index, ranking=ranking)
    return finished(here, model, response, "scored", num_tokens=num_tokens, num_items=len(ranking))


def _read(here: Exchange, body: RankRequest) -> tuple[Scorer, RankTask]:
    limits = limits_of(here.service.settings)
    check_number(len(body.candidates), limits, "candidates")
    model = find_model(here, body.model, LANGUAGE_MODEL)
    return model, read_rank(model.bundle, body, limits)


ROUTE = Route(
    rank,
    "POST",
    "/v1/rank",
    "Choose among candidates, such as an n-best list, by a language model and their own scores.",
    RankResponse,
    RankRequest,
    {
        "readings": {"value": {"candidates": ["The apple and pair salad", "The apple and pear salad"]}},
        "acoustic scores": {
            "value": {
                "candidates": [{"text": "pair salad", "score": -12.5}, {"text": "pear salad", "score": -12.9}],
                "context": "The apple and",
                "lm_weight": 0.7,
                "length_bonus": 0.2,
            }
        },
    },
    ERRORS_OF_WORK,
)
