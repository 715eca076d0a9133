"""Fixtures for bundles; property tests have no deadline, since their time depends on what else the machine does."""

from pathlib import Path

import pytest
from hypothesis import settings

from seqserve.loading import load_bundle
from seqserve.tagger.model import TaggerBundle
from tests.seqserve.tiny_bundle import TINY, Spoiled

settings.register_profile("seqserve", deadline=None)
settings.load_profile("seqserve")


@pytest.fixture(scope="session")
def tiny() -> TaggerBundle:
    return load_bundle(TINY)


@pytest.fixture
def spoiled(tmp_path: Path) -> Spoiled:
    return Spoiled(tmp_path / "tiny-ner" / "1")
