"""A server whose graphs fail on every run: the whole real service but for the one call."""

import sys

from seqserve.service.__main__ import main
from seqserve.service.engine import models
from seqserve.service.engine.batching.batcher import Batcher
from seqserve.service.engine.models import QueueLimits


def fail(rows: object) -> list[object]:
    raise RuntimeError("the graph melted")


def make_broken(bundle: object, queue: QueueLimits) -> Batcher:
    """Stand in for the engine's own makers of batchers."""
    return Batcher(fail, **queue._asdict())


models.make_batcher = models.make_score_batcher = make_broken
sys.exit(main())
