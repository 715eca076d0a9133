"""What the watchdog complains about."""

import time

import pytest

from seqserve.service.engine.batching.ticket import Batch
from seqserve.service.engine.models import LanguageModel
from seqserve.service.engine.open_models import Checked
from seqserve.service.engine.registry import Registry
from seqserve.service.server.watchdog import Watchdog
from tests.service.conftest import BUNDLES
from tests.service.toys import open_toy


@pytest.fixture
def model() -> LanguageModel:
    return open_toy()


def watchdog(model: LanguageModel) -> Watchdog:
    registry = Registry([Checked(BUNDLES, model.manifest, None)], lambda item: model)
    registry.open()
    return Watchdog(registry, stuck_s=5.0)


def run_since(model: LanguageModel, engine: str, since: float) -> None:
    """Let an engine look as if it has been running something since then."""
    if engine == "decoder":
        model.decoder.running_since = since
    else:
        model.batcher._running[0] = since, Batch([], [])


def test_nothing_is_wrong_while_all_goes_on(model: LanguageModel) -> None:
    run_since(model, "batcher", time.monotonic())
    assert watchdog(model).stuck_part(time.monotonic()) == ""


@pytest.mark.parametrize("engine", ["batcher", "decoder"])
def test_a_run_that_takes_too_long(model: LanguageModel, engine: str) -> None:
    run_since(model, engine, time.monotonic() - 6)
    assert watchdog(model).stuck_part(time.monotonic()) == f"a run of model {model.manifest.name} has taken 6 s"


def test_a_loop_that_stands_still(model: LanguageModel) -> None:
    watched = watchdog(model)
    now = time.monotonic()
    assert watched.stuck_part(now + 6).startswith("the event loop has been blocked for ")
    watched.beat()
    assert watched.stuck_part(now + 5) == ""
