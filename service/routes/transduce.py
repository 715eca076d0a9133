"""POST /v1/transduce: another text for a text, such as its translation."""

from typing import Any

from flask import Blueprint

from seqserve.service.answers import Answer, large_json_answer
from seqserve.service.body import from_body
from seqserve.service.context import Exchange, exchange
from seqserve.service.memory import trim_after
from seqserve.service.routes.limits import rows_of_texts
from seqserve.service.schemas.transduce import TransduceRequest, TransduceResponse
from seqserve.service.tasks.transduce import transduce_ids
from seqserve.transducer.beam import Search

blueprint = Blueprint("transduce", __name__)


@blueprint.post("/v1/transduce")
def transduce() -> Answer:
    """Answer one request."""
    here = exchange()
    model, texts, search = from_body(here, TransduceRequest, _read)
    results, timing = transduce_ids(model, texts, search, cancellation=here.cancellation)
    here.queue_s, here.compute_s = timing
    num_tokens = sum(map(len, texts))
    here.service.telemetry.count_tokens(model.manifest.name, num_tokens, kind="transduced")
    here.at_end.append(lambda: trim_after(num_tokens * search.beams))
    response = TransduceResponse(model=model.manifest.name, version=model.manifest.version, results=results)
    return large_json_answer(response, num_items=len(texts), cancellation=here.cancellation)


def _read(here: Exchange, body: TransduceRequest) -> tuple[Any, Any, Search]:
    settings = here.service.settings
    model = here.service.registry.find(body.model, task="transduce")
    here.model = model.manifest.name
    longest = model.manifest.limits.max_source_tokens
    texts = rows_of_texts(body.text, model.bundle.source_ids, settings, longest=longest, cost=body.beams)
    return model, texts, Search(body.beams, body.max_tokens)
