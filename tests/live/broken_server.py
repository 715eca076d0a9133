"""A server whose graph fails on every run: the whole real service but for the one call."""

import sys

from bundle.tagger import TaggerBundle
from service.__main__ import main
from service.engine import registry
from service.engine.batcher import Batcher


def fail(rows: object) -> list[object]:
    raise RuntimeError("the graph melted")


def make_broken(bundle: TaggerBundle, *, max_queue_tokens: int) -> Batcher:
    """Stand in for the registry's own `make_batcher`."""
    return Batcher(fail, max_queue_tokens=max_queue_tokens)


registry.make_batcher = make_broken
sys.exit(main())
