"""The whole real service, with toy language models beside its bundles: fast, slow, and one whose graph fails."""

import sys
import time
from collections.abc import Iterable, Mapping

import msgspec

from seqserve.language.model import StepBatch, StepResult
from seqserve.service import app
from seqserve.service.__main__ import main
from seqserve.service.engine.models import Model, QueueLimits, SlotLimits
from seqserve.service.engine.open_models import Checked, take_reported
from seqserve.service.engine.reports import BundleReport
from seqserve.service.kinds import model_of, open_model
from tests.live.served import BUNDLES
from tests.toy_language_model import ToyLanguageModel

SLOW_STEP_S = 0.02


class Slow(ToyLanguageModel):
    """A large model's pace, so that a test can come in between; never ends by itself."""

    def run_step(self, batch: StepBatch) -> StepResult:
        time.sleep(SLOW_STEP_S)
        return super().run_step(batch)


class Melting(ToyLanguageModel):
    """Fails at the fifth token."""

    def run_step(self, batch: StepBatch) -> StepResult:
        if batch.state.sum(axis=1).max() > 1.7:  # 0, 0, 1, 1.5, 1.75: a token adds 1 to half of what was there
            raise RuntimeError("the graph melted")
        return super().run_step(batch)


def toys() -> dict[str, ToyLanguageModel]:
    """Return the models by name."""
    found = {
        "toy-word": ToyLanguageModel(),
        "toy-character": ToyLanguageModel("character", ends_sentences=False),
        "toy-slow": Slow("character", ends_sentences=False),
        "toy-melting": Melting("character", ends_sentences=False),
    }
    for name, toy in found.items():
        toy.manifest = msgspec.structs.replace(toy.manifest, name=name)
    return found


def take_more(reports: Iterable[BundleReport], known: Mapping[str, Checked] | None = None) -> list[Checked]:
    """Stand in for `take_reported`."""
    taken = take_reported(reports, known)
    return [*taken, *(Checked(BUNDLES, toy.manifest, None) for toy in toys().values())]


def open_more(checked: Checked, provider: str, queue: QueueLimits, slots: SlotLimits | None = None) -> Model:
    """Stand in for `open_model`."""
    toy = toys().get(checked.manifest.name)
    if toy is None:
        return open_model(checked, provider, queue, slots)
    return model_of(toy, "cpu", queue, slots)  # type: ignore[arg-type]


if __name__ == "__main__":
    app.take_reported = take_more
    app.open_model = open_more
    sys.exit(main())
