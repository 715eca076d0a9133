"""The service with one part of its engine taken away, for comparison.

    python -m benchmarks.load.variant_server VARIANT [settings of the service]

noop           a batcher whose runs answer from memory
no-engine      no batcher either
stock-gevent   the same as noop under gunicorn's own gevent worker
constant       the service's own connection layer, which answers every request with the same bytes
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
from seqserve.cli import make_parser
from seqserve.service import app
from seqserve.service.__main__ import main as serve
from seqserve.service.app import create_app, make_registry
from seqserve.service.engine import models
from seqserve.service.engine.batching import batcher
from seqserve.service.engine.registry import Registry
from seqserve.service.read_settings import settings_from
from seqserve.service.settings import Settings

PATCHES: Mapping[str, tuple[ModuleType | type, str, object]] = MappingProxyType(
    {
        "noop": (models, "Batcher", variants.recorded_batcher),
        "stock-gevent": (models, "Batcher", variants.recorded_batcher),
        "constant": (app._App, "wsgi_app", variants.constant_answer),
        "no-engine": (models, "Batcher", variants.Recorded),
        "unbatched": (models, "Batcher", variants.Direct),
        "threads": (models, "Batcher", variants.Direct),
        "arrival-order": (batcher, "next_batch", variants.rows_in_order),
        "static": (models, "Decoder", variants.StaticDecoder),
        "leaving": (models, "Decoder", variants.LeavingDecoder),
    }
)
"""For each variant the module or class, the name in it, and what takes its place."""

_STOCK_WORKERS = {"threads": "gthread", "stock-gevent": "gevent"}


class StockServer(BaseApplication):  # type: ignore[misc]
    """The service's app under one of gunicorn's own workers as it comes."""

    def __init__(self, settings: Settings, worker_class: str) -> None:
        self._settings = settings
        self._worker_class = worker_class
        self._registry: Registry = make_registry(settings)
        self._app = create_app(settings, registry=self._registry)
        super().__init__()

    def load_config(self) -> None:
        """Set what the service sets, as far as this worker knows it."""
        values: dict[str, Any] = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "workers": self._settings.num_workers,
            "threads": self._settings.threads,
            "worker_class": self._worker_class,
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
    place, name, replacement = PATCHES[variant]
    if not hasattr(place, name):
        raise AttributeError(f"{place.__name__} has no {name} to take away")
    setattr(place, name, replacement)
    if variant in _STOCK_WORKERS:
        chosen = settings_from(vars(make_parser().parse_args(["serve", *settings])), os.environ)
        server = StockServer(chosen, _STOCK_WORKERS[variant])
        gc.collect()
        gc.freeze()
        server.run()
    return serve(settings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
