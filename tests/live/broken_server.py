"""A server whose graphs fail on every run: the whole real service but for the one call."""

import sys

from service.__main__ import main
from service.engine import models
from service.engine.batcher import Batcher
from service.engine.models import QueueLimits


def fail(rows: object) -> list[object]:
    raise RuntimeError("the graph melted")


def make_broken(bundle: object, queue: QueueLimits) -> Batcher:
    """Stand in for the engine's own makers of batchers."""
    return Batcher(fail, **queue._asdict())


models.make_batcher = models.make_score_batcher = make_broken
sys.exit(main())
