"""POST /v1/rank: the best of several candidates."""

from seqserve.service.answers import Answer, large_json_answer
from seqserve.service.body import from_body
from seqserve.service.context import Exchange, exchange
from seqserve.service.engine.models import LanguageModel
from seqserve.service.memory import trim_after
from seqserve.service.routes.limits import check_number, token_limits
from seqserve.service.routes.route import ERRORS_OF_WORK, Route
from seqserve.service.schemas.rank import RankRequest, RankResponse
from seqserve.service.tasks.rank import RankTask, answer_rank, rank_task


def rank() -> Answer:
    """Answer one request."""
    here = exchange()
    model, task = from_body(here, RankRequest, _read)
    response, timing = answer_rank(model, task, cancellation=here.cancellation)
    here.queue_s, here.compute_s = timing
    num_tokens = task.sequences.num_tokens
    here.service.telemetry.count_tokens(model.manifest.name, num_tokens, kind="scored")
    here.at_end.append(lambda: trim_after(num_tokens))
    return large_json_answer(response, num_items=len(response.ranking), cancellation=here.cancellation)


def _read(here: Exchange, body: RankRequest) -> tuple[LanguageModel, RankTask]:
    settings = here.service.settings
    check_number(len(body.candidates), settings, "candidates")
    model = here.service.registry.find(body.model, task="language-model")
    here.model = model.manifest.name
    return model, rank_task(model, body, token_limits(settings))


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
