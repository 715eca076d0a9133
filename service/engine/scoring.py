"""Score rows through the queue of a language model."""

from collections.abc import Sequence

from seqserve.language.batches import ScoredRow, ScoreRow
from seqserve.language.model import LanguageModelBundle
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.engine.models import Model

Scorer = Model[LanguageModelBundle, ScoreRow, ScoredRow]


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
