"""What the watchdog complains about."""

import time

import pytest

from service.engine.models import LanguageModel
from service.engine.opening import Checked
from service.engine.registry import Registry
from service.server.watchdog import Watchdog
from tests.service.conftest import BUNDLES
from tests.service.toys import open_toy


@pytest.fixture
def model() -> LanguageModel:
    return open_toy()


def watchdog(model: LanguageModel) -> Watchdog:
    registry = Registry([Checked(BUNDLES, model.manifest, None)], lambda item: model)
    registry.open()
    return Watchdog(registry, stuck_s=5.0)


def test_nothing_is_wrong_while_all_goes_on(model: LanguageModel) -> None:
    model.batcher.running_since = time.monotonic()
    assert watchdog(model).complaint(time.monotonic()) == ""


@pytest.mark.parametrize("engine", ["batcher", "decoder"])
def test_a_run_that_takes_too_long(model: LanguageModel, engine: str) -> None:
    getattr(model, engine).running_since = time.monotonic() - 6
    assert watchdog(model).complaint(time.monotonic()) == f"a run of model {model.manifest.name} has taken 6 s"


def test_a_loop_that_stands_still(model: LanguageModel) -> None:
    watched = watchdog(model)
    now = time.monotonic()
    assert watched.complaint(now + 6).startswith("the loop has not gone round for ")
    watched.beat()
    assert watched.complaint(now + 5) == ""
