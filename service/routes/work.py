"""Steps that the routes of all models share."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from seqserve.bundle import BundleT
from seqserve.kind import Kind
from seqserve.language.batches import ScoredRow, ScoreRow
from seqserve.language.model import LanguageModelBundle
from seqserve.reading import Limits
from seqserve.service.answers import Answer, large_json_answer
from seqserve.service.context import Exchange
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.engine.models import AnyModel, Model, ResultT, RowT
from seqserve.service.memory import trim_after
from seqserve.service.settings import Settings

LanguageModelName = Annotated[
    str | None, Meta(description="Name of a language model; absent: the default (see `default` in /v1/models).")
]
Scorer = Model[LanguageModelBundle, ScoreRow, ScoredRow]


class Response(Struct, kw_only=True):
    """An answer of a model, which it names."""

    model: str
    version: str


def find_model(here: Exchange, name: str | None, kind: Kind[Any, BundleT]) -> Model[BundleT, Any, Any]:
    """Return the model that a request names, and note it for the log; raises the errors of `Registry.find`."""
    model: Model[BundleT, Any, Any] = here.service.registry.find(name, task=kind.task)
    here.model = model.manifest.name
    return model


def limits_of(settings: Settings) -> Limits:
    """Return the server's limits on the texts of a request."""
    return Limits(settings.max_texts, settings.max_tokens, settings.max_request_tokens)


def run_rows(
    here: Exchange, model: Model[Any, RowT, ResultT], rows: Sequence[RowT], lengths: Sequence[int]
) -> Sequence[ResultT]:
    """Run rows through a model's queue and note the time; lengths: the cost of each row, in tokens.

    Raises OverloadedError, DeadlineExceededError, ClientLeftError and InternalError.
    """
    cancellation = here.cancellation
    with model.batcher.admitted(sum(lengths), cancellation.client):
        answer = model.batcher.submit(rows, lengths, cancellation=cancellation)
    here.queue_s, here.compute_s = answer.queue_s, answer.compute_s
    return answer.results


class QueuedRuns:
    """Runs rows for one request, which holds room in the queue; `queue_s` and `compute_s` are those of all its runs."""

    def __init__(self, model: Scorer, cancellation: Cancellation) -> None:
        self.queue_s = self.compute_s = 0.0
        self._batcher = model.batcher
        self._cancellation = cancellation
        self._num_runs = 0

    def __call__(self, rows: Sequence[ScoreRow]) -> list[ScoredRow]:
        """Score rows; the request may be cancelled between two runs.

        Raises DeadlineExceededError, ClientLeftError and InternalError.
        """
        if self._num_runs:
            self._cancellation.check()
        self._num_runs += 1
        answer = self._batcher.submit(rows, [len(row.ids) for row in rows], cancellation=self._cancellation)
        self.queue_s += answer.queue_s
        self.compute_s += answer.compute_s
        return answer.results


def finished(
    here: Exchange, model: AnyModel, response: msgspec.Struct, counter: str, *, num_tokens: int, num_items: int
) -> Answer:
    """Count the tokens of a request under a counter of its kind, and return its answer of about `num_items` items."""
    here.service.telemetry.count_tokens(model.manifest.name, num_tokens, kind=counter)
    here.at_end.append(lambda: trim_after(num_tokens))
    return large_json_answer(response, num_items=num_items, cancellation=here.cancellation)
