"""POST /v1/score: the probability of texts."""

from collections.abc import Iterator

from seqserve.errors import invalid, pointer_to
from seqserve.service.answers import Answer, large_json_answer
from seqserve.service.body import from_body
from seqserve.service.context import Exchange, exchange
from seqserve.service.engine.models import LanguageModel
from seqserve.service.memory import trim_after
from seqserve.service.routes.limits import check_number, token_limits
from seqserve.service.routes.route import ERRORS_OF_WORK, Route
from seqserve.service.schemas.score import ScoreRequest, ScoreResponse
from seqserve.service.tasks.read_texts import EncodedInput, Intake
from seqserve.service.tasks.score import ScoreOptions, counts_eos, score_inputs
from seqserve.service.tasks.sequences import Ids

Contexts = tuple[list[Ids], list[int]]
"""The distinct contexts' ids, and which one comes before each text."""


def score() -> Answer:
    """Answer one request."""
    here = exchange()
    model, inputs, contexts, options = from_body(here, ScoreRequest, _read)
    num_tokens = sum(len(item.ids) for item in inputs) + sum(map(len, contexts[0]))
    num_items = num_tokens * (1 + options.top) if options.tokens else len(inputs)
    here.expect_items(num_items)
    results, timing = score_inputs(model, inputs, contexts, options, cancellation=here.cancellation)
    here.queue_s, here.compute_s = timing
    here.service.telemetry.count_tokens(model.manifest.name, num_tokens, kind="scored")
    here.at_end.append(lambda: trim_after(num_tokens))
    response = ScoreResponse(model=model.manifest.name, version=model.manifest.version, results=results)
    return large_json_answer(response, num_items=num_items, cancellation=here.cancellation)


def _read(here: Exchange, body: ScoreRequest) -> tuple[LanguageModel, list[EncodedInput], Contexts, ScoreOptions]:
    settings = here.service.settings
    _check_shape(body)
    model = here.service.registry.find(body.model, task="language-model")
    here.model = model.manifest.name
    eos = counts_eos(model, body.eos)
    check_number(len(_listed(body.text)), settings, "text")
    inputs, contexts = _encode(body, Intake(model.bundle, token_limits(settings)), eos=eos)
    return model, inputs, contexts, ScoreOptions(tokens="tokens" in body.include, top=body.top)


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


def _encode(body: ScoreRequest, intake: Intake, *, eos: bool) -> tuple[list[EncodedInput], Contexts]:
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
