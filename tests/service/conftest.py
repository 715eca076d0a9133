"""A tiny tagger and apps around it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from flask import Flask

from seqserve.loading import load_bundle
from seqserve.service.app import create_app
from seqserve.service.engine.batching.batcher import Batcher
from seqserve.service.engine.models import Model, TaggerModel
from seqserve.service.engine.open_models import Checked
from seqserve.service.engine.registry import Registry
from seqserve.service.server.shared_state import SharedState
from seqserve.service.settings import Settings
from seqserve.tagger.model import TaggedSentence, TaggerBundle
from tests.service.decoding import Watched

BUNDLES = Path(__file__).resolve().parent.parent / "fixtures" / "bundles"

Run = Callable[[list[Sequence[str]]], Sequence[TaggedSentence]]


@pytest.fixture(scope="session")
def bundle() -> TaggerBundle:
    return load_bundle(BUNDLES / "tiny-ner" / "1")


@pytest.fixture
def make_app(bundle: TaggerBundle) -> Callable[..., Flask]:
    """Make an app around the tiny tagger; `run` replaces its graph, `models` adds others to the registry."""

    def make(
        *,
        run: Run | None = None,
        models: Sequence[Model] = (),
        opened: bool = True,
        shared: SharedState | None = None,
        **given: object,
    ) -> Flask:
        settings = Settings(models=(BUNDLES,), **given)  # type: ignore[arg-type]
        queue = Batcher(
            run or (lambda rows: bundle.run(bundle.encode(rows))), max_queue_tokens=settings.max_queue_tokens
        )
        by_name = {model.manifest.name: model for model in (TaggerModel("cpu", bundle, queue), *models)}
        checked = [Checked(BUNDLES, model.manifest, None) for model in by_name.values()]
        registry = Registry(checked, lambda item: by_name[item.manifest.name])
        if opened:
            registry.open()
        return create_app(settings, registry=registry, shared=shared)

    return make


@pytest.fixture
def model() -> Iterator[Watched]:
    """A toy whose runs are watched; what still waits for a permit at the end of a test gets it."""
    watched = Watched()
    yield watched
    if watched.permits is not None:
        watched.permits.release(1_000_000)
