"""The service with one part of its engine taken away, for comparison.

    python -m benchmarks.load.variant_server VARIANT [settings of the service]

noop           a batcher whose runs answer from memory
no-engine      no batcher either
unbatched      every request runs its own rows, as `threads`, but under the service's own worker
threads        the same under gunicorn's own worker of threads
arrival-order  batches of rows in the order in which they came
static         samples get slots only when all are free; the batch keeps its size until its longest has ended
leaving        the same, but samples that have ended leave the batch at once
"""

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType, ModuleType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from benchmarks.load import variants
from service.__main__ import main as serve
from service.app import create_app, make_registry
from service.engine import batcher, models
from service.engine.registry import Registry
from service.settings import Settings, read_settings

PATCHES: Mapping[str, tuple[ModuleType, str, object]] = MappingProxyType(
    {
        "noop": (models, "Batcher", variants.recorded_batcher),
        "no-engine": (models, "Batcher", variants.Recorded),
        "unbatched": (models, "Batcher", variants.Direct),
        "threads": (models, "Batcher", variants.Direct),
        "arrival-order": (batcher, "next_batch", variants.rows_in_order),
        "static": (models, "Decoder", variants.StaticDecoder),
        "leaving": (models, "Decoder", variants.LeavingDecoder),
    }
)
"""For each variant the module, the name in it, and what takes its place."""


class ThreadedServer(BaseApplication):  # type: ignore[misc]
    """The service's app under gunicorn's gthread worker as it comes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._registry: Registry = make_registry(settings)
        self._app = create_app(settings, registry=self._registry)
        super().__init__()

    def load_config(self) -> None:
        """Set what the service sets, as far as this worker knows it."""
        values: dict[str, Any] = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "workers": self._settings.num_workers,
            "threads": self._settings.threads,
            "worker_class": "gthread",
            "keepalive": 15,
            "control_socket_disable": True,
            "loglevel": "warning",
        }
        for name, value in values.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Open the models in this worker."""
        self._registry.open()
        return self._app


def main(words: Sequence[str]) -> int:
    """Take the part away and serve; ends in SystemExit."""
    variant, *settings = words
    if variant not in PATCHES:
        print(f"error: variant must be one of {', '.join(PATCHES)}, not {variant!r}", file=sys.stderr)
        return 2
    module, name, replacement = PATCHES[variant]
    if not hasattr(module, name):
        raise AttributeError(f"{module.__name__} has no {name} to take away")
    setattr(module, name, replacement)
    if variant == "threads":
        chosen = read_settings(settings, os.environ)
        server = ThreadedServer(chosen)
        gc.collect()
        gc.freeze()
        server.run()
    return serve(settings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
