"""The tiny encoder-decoder as the service holds it."""

from collections.abc import Callable, Sequence

from seqserve.service.engine.batching.batcher import Batcher
from seqserve.service.engine.models import TransducerModel
from seqserve.transducer.beam import Hypothesis
from seqserve.transducer.model import TransduceRow
from tests.seqserve.tiny_transducer import open_tiny_transducer

Run = Callable[[list[TransduceRow]], Sequence[Hypothesis]]


def tiny_transducer(run: Run | None = None, *, max_queue_tokens: int = 100_000) -> TransducerModel:
    """A model with a queue of its own; `run` stands in for its graphs."""
    bundle = open_tiny_transducer()
    return TransducerModel("cpu", bundle, Batcher(run or bundle.begin, max_queue_tokens=max_queue_tokens))
