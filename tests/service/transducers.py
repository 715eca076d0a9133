"""The tiny encoder-decoder as the service holds it."""

from collections.abc import Callable, Sequence

from bundle.beam import Hypothesis
from bundle.transducer import TransduceRow
from service.engine.batcher import Batcher
from service.engine.models import TransducerModel
from tests.bundle.tiny_transducer import open_tiny_transducer

Run = Callable[[list[TransduceRow]], Sequence[Hypothesis]]


def tiny_transducer(run: Run | None = None, *, max_queue_tokens: int = 100_000) -> TransducerModel:
    """A model with a queue of its own; `run` stands in for its graphs."""
    bundle = open_tiny_transducer()
    return TransducerModel(
        bundle.manifest, "cpu", bundle, Batcher(run or bundle.begin, max_queue_tokens=max_queue_tokens)
    )
