"""End a worker that is stuck: its loop is blocked, or a run of a graph takes too long."""

import logging
import os
import threading
import time

from seqserve.service.engine.models import LanguageModel
from seqserve.service.engine.registry import Registry
from seqserve.service.metrics.logs import describe_threads

STUCK = 70
"""Exit status of a stuck worker; its master replaces it."""

_LOOK_S = 0.5

logger = logging.getLogger("seqserve")


class Watchdog:
    """A thread that watches the loop, which cannot watch itself while it is blocked."""

    def __init__(self, registry: Registry, *, stuck_s: float) -> None:
        self._registry = registry
        self._stuck_s = stuck_s
        self._beat_at = time.monotonic()

    def start(self) -> None:
        """Watch until the process ends."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def beat(self) -> None:
        """Note that the loop is running."""
        self._beat_at = time.monotonic()

    def stuck_part(self, now: float) -> str:
        """Return a sentence about the part that is stuck, or ""."""
        if now - self._beat_at > self._stuck_s:
            return f"the event loop has been blocked for {now - self._beat_at:.0f} s"
        for model in self._registry.models:
            runs = [model.batcher.running_since]
            if isinstance(model, LanguageModel):
                runs.append(model.decoder.running_since)
            for since in runs:
                if since is not None and now - since > self._stuck_s:
                    return f"a run of model {model.manifest.name} has taken {now - since:.0f} s"
        return ""

    def _watch(self) -> None:
        while not (stuck := self.stuck_part(time.monotonic())):
            time.sleep(min(_LOOK_S, self._stuck_s / 2))
        logger.critical("%s, longer than stuck_s: this worker ends and is replaced", stuck)
        logger.critical("%s", describe_threads())
        logging.shutdown()
        os._exit(STUCK)
