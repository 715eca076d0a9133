"""SIGHUP: what a subprocess has found sound takes the place of what is served, once new workers serve it."""

import logging
import time
from collections.abc import Sized
from typing import Any, Protocol

from seqserve.errors import SeqserveError
from seqserve.service.app import make_registry
from seqserve.service.engine.registry import Registry
from seqserve.service.server.checking import ModelCheck

_NEW_WORKERS_LIMIT_S = 120.0
_LOOK_S = 0.05

logger = logging.getLogger("seqserve")


class Workers(Protocol):
    """What a reload needs of the master: its workers, and new ones beside them."""

    WORKERS: Sized
    num_workers: int

    def look_around(self) -> None:
        """Collect ended workers; raises SeqserveError when the server is to stop."""

    def look_after_workers(self) -> None:
        """Look around, and replace workers that have ended."""

    def start_new_workers(self) -> object:
        """Start `num_workers` new workers; raises OSError and SeqserveError."""

    def new_workers_serve(self) -> bool:
        """Return whether every new worker serves; raises SeqserveError when one has ended."""

    def retire_old_workers(self) -> None:
        """Retire every worker but the new ones."""

    def kill_new_workers(self) -> None:
        """End the new workers."""


class ReloadError(SeqserveError):
    """New bundles were not taken; the message says why."""


def reload_models(master: Workers, server: Any) -> None:
    """Check the folders of models and serve what they hold.

    Raises SeqserveError, after which everything is as before.
    """
    started_at = time.monotonic()
    registry = _checked(master, server)
    if registry is None:
        logger.info("SIGHUP: the models are what they were; nothing to do")
        return
    _replace_workers(master, server, registry)
    logger.info("SIGHUP: serving %s after %.1f s", ", ".join(registry.names), time.monotonic() - started_at)
    logger.info("requests that name no model: %s", registry.described_defaults)


def _checked(master: Workers, server: Any) -> Registry | None:
    """Let a process check the folders; return their models, None when they are those that are served."""
    settings, known = server.settings, server.registry.checked
    reports = [item.report for item in known.values() if item.report is not None]
    with ModelCheck(settings.models, provider=settings.provider, known=reports) as check:
        while not check.is_over(_LOOK_S):
            master.look_after_workers()
        registry = make_registry(settings, check.result(), known)
    now = registry.checked
    is_same = now.keys() == known.keys() and all(now[name] is known[name] for name in now)
    return None if is_same else registry


def _replace_workers(master: Workers, server: Any, registry: Registry) -> None:
    """Start workers with other models, and end the old ones once all of those serve."""
    _wait_for_slots(master, server)
    before = server.registry
    server.use(registry)
    try:
        _try_workers(master)
    except (OSError, SeqserveError) as error:
        master.kill_new_workers()
        server.use(before)
        if isinstance(error, OSError):
            raise ReloadError(f"a process cannot be started: {error}") from error
        raise
    master.retire_old_workers()


def _try_workers(master: Workers) -> None:
    master.start_new_workers()
    until = time.monotonic() + _NEW_WORKERS_LIMIT_S
    while not master.new_workers_serve():
        if time.monotonic() > until:
            raise ReloadError(f"the new workers did not serve within {_NEW_WORKERS_LIMIT_S:.0f} s")
        time.sleep(_LOOK_S)
        master.look_around()


def _wait_for_slots(master: Workers, server: Any) -> None:
    """Wait while workers of earlier reloads, which may still be answering, take the places of new ones."""
    until = time.monotonic() + _NEW_WORKERS_LIMIT_S
    while server.shared.num_slots - len(master.WORKERS) < 2 * master.num_workers:
        if time.monotonic() > until:
            raise ReloadError("too many workers of earlier reloads have not ended")
        time.sleep(_LOOK_S)
        master.look_after_workers()
