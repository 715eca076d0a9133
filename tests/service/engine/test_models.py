"""An open model: what its limits say reaches what stands before its graphs."""

import contextlib

import pytest

from seqserve.bundle import Bundle
from seqserve.service.engine.models import LanguageModel, QueueLimits, SlotLimits
from seqserve.service.errors import OverloadedError
from seqserve.service.kinds import model_of
from tests.seqserve.tiny_transducer import open_tiny_transducer
from tests.service.decoding import spec, submit
from tests.toy_language_model import ToyLanguageModel


@pytest.mark.parametrize("make", [open_tiny_transducer, ToyLanguageModel], ids=["transducer", "language model"])
def test_a_client_has_its_share_of_the_queue(make: type[Bundle]) -> None:
    model = model_of(make(), "cpu", QueueLimits(1000, client_share=0.5))
    with contextlib.ExitStack() as room:
        for _ in range(10):
            room.enter_context(model.batcher.admitted(50, "greedy"))
        with pytest.raises(OverloadedError):
            room.enter_context(model.batcher.admitted(50, "greedy"))
        room.enter_context(model.batcher.admitted(50, "honest"))


def test_a_client_has_its_share_of_samples() -> None:
    slots = SlotLimits(max_slots=4, max_waiting=4, client_share=0.5)
    model = model_of(ToyLanguageModel(), "cpu", QueueLimits(1000), slots)  # type: ignore[arg-type]
    assert isinstance(model, LanguageModel)
    handle = submit(model.decoder, *(spec(index, max_tokens=1) for index in range(8)), client="greedy")
    assert model.decoder._room.fits("greedy", 1) is (model.decoder._room.held == 0)
    handle.wait()
    assert model.decoder._room.limit == 8
    assert model.decoder._room.left_to("greedy") == 4
