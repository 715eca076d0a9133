"""A server that has, beside its tagger, a model which says that it does something else."""

import dataclasses
import sys
from pathlib import Path

import msgspec

from service import app
from service.__main__ import main
from service.engine.registry import Checked, check_bundles


def check_one_more(models: Path, *, provider: str) -> list[Checked]:
    """Stand in for `check_bundles`."""
    (tagger,) = check_bundles(models, provider=provider)
    manifest = msgspec.structs.replace(tagger.manifest, name="a-language-model", task="score")
    return [tagger, dataclasses.replace(tagger, manifest=manifest)]


app.check_bundles = check_one_more
sys.exit(main())
