"""Texts to other texts: what a request is expected to cost, and turns between the parts of a search."""

import contextlib
import math
import threading
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from seqserve.partial_run import PartialRun
from seqserve.service.engine.batching.batcher import Batcher
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.engine.models import QueueLimits, TransducerModel
from seqserve.service.errors import OverloadedError
from seqserve.service.kinds import model_of
from seqserve.service.routes.transduce import transduce_ids
from seqserve.service.settings import Settings
from seqserve.transducer.beam import Search
from seqserve.transducer.model import TransduceRow
from seqserve.transducer.pipeline import expected_cost
from tests.seqserve.tiny_transducer import KNOWN, open_tiny_transducer
from tests.service.engine.test_event_loop import in_the_loop, wait_until


def test_a_text_costs_by_its_beam_and_by_the_tokens_of_both_texts() -> None:
    assert expected_cost(20, Search(1, 512)) == 17
    assert expected_cost(20, Search(16, 512)) == 272
    assert expected_cost(20, Search(1, 4)) == 6
    assert expected_cost(1, Search(1, 1)) == 1


@pytest.mark.parametrize("beams", [1, 16])
def test_the_largest_request_is_taken_beside_a_greedy_client(beams: int) -> None:
    settings = Settings()
    queue = QueueLimits(settings.max_queue_tokens, client_share=settings.client_share)
    model = model_of(open_tiny_transducer(), "cpu", queue)
    length = settings.max_request_tokens // (beams * settings.max_texts)
    cost = settings.max_texts * expected_cost(length, Search(beams, 512))
    with contextlib.ExitStack() as room:
        with contextlib.suppress(OverloadedError):
            while True:
                room.enter_context(model.batcher.admitted(1000, "greedy"))
        assert model.batcher.pending_tokens == 50_000
        room.enter_context(model.batcher.admitted(cost, "honest"))


@in_the_loop
def test_another_clients_text_is_answered_between_the_parts_of_a_long_search(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = open_tiny_transducer()
    monkeypatch.setattr("seqserve.service.engine.batching.batcher.TURN_S", -1.0)  # one token a part
    entered, go_on = threading.Event(), threading.Event()
    begun: list[int] = []

    def begin(rows: list[TransduceRow]) -> PartialRun:
        begun.append(rows[0].search.beams)
        entered.set()
        assert go_on.wait(60)
        return bundle.begin(rows)

    batcher: Batcher = Batcher(begin, max_queue_tokens=100_000)
    model = TransducerModel("cpu", bundle, batcher)
    ended: list[str] = []

    def ask(client: str, search: Search, texts: list[str]) -> list[str]:
        ids = [bundle.source_ids(text) for text in texts]
        here: Any = SimpleNamespace(cancellation=Cancellation(math.inf, client=client))
        results = transduce_ids(here, model, ids, search)
        ended.append(client)
        return [result.text for result in results]

    greedy = gevent.spawn(ask, "greedy", Search(16, 512), [*KNOWN] * 20)
    wait_until(entered.is_set)
    num_waiting = len(batcher._queue)
    honest = gevent.spawn(ask, "honest", Search(1, 20), ["I am happy."])
    wait_until(lambda: len(batcher._queue) == num_waiting + 1)
    go_on.set()
    assert honest.get() == [KNOWN["I am happy."]]
    assert greedy.get() == [*KNOWN.values()] * 20
    assert begun[1] == 1
    assert ended == ["honest", "greedy"]
