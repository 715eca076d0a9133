"""A server whose graphs take half a second for every run: long enough for a test to find the queue full."""

import sys
import time
from collections.abc import Callable
from typing import Any

from seqserve.service.__main__ import main
from seqserve.service.engine import models
from seqserve.service.engine.batching.batcher import Batcher
from seqserve.service.engine.models import QueueLimits

RUN_S = 0.5


def slowed(make: Callable[..., Batcher[Any, Any]]) -> Callable[..., Batcher[Any, Any]]:
    """Wrap one of the engine's makers of batchers."""

    def make_slow(bundle: Any, queue: QueueLimits) -> Batcher[Any, Any]:
        batcher = make(bundle, queue)
        run = batcher._run

        def wait_and_run(rows: list[Any]) -> Any:
            time.sleep(RUN_S)
            return run(rows)

        batcher._run = wait_and_run
        return batcher

    return make_slow


if __name__ == "__main__":
    models.make_batcher = slowed(models.make_batcher)
    models.make_score_batcher = slowed(models.make_score_batcher)
    sys.exit(main())
