"""A server whose graphs fail on every run: the whole real service but for the one call."""

import sys

from service.__main__ import main
from service.engine import models
from service.engine.batcher import Batcher


def fail(rows: object) -> list[object]:
    raise RuntimeError("the graph melted")


def make_broken(bundle: object, *, max_queue_tokens: int) -> Batcher:
    """Stand in for the engine's own makers of batchers."""
    return Batcher(fail, max_queue_tokens=max_queue_tokens)


models.make_batcher = models.make_score_batcher = make_broken
sys.exit(main())
