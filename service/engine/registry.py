"""The models of this server: bundles checked once before workers are forked, opened again in each worker."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bundle.encoding import TaggerBatch
from bundle.errors import BundleError
from bundle.graph import Graph, provider_name
from bundle.load import find_bundles, load_bundle, verify_bundle
from bundle.manifest import MANIFEST_FILE, Manifest, read_manifest, verify_files
from bundle.tagger import TaggedSentence, TaggerBundle
from service.engine.batcher import Batcher
from service.engine.rows import stack_rows
from service.errors import ModelNotFoundError, NotReadyError, TaskMismatchError

NOT_READY_RETRY_S = 1
_ECHOED_CHARS = 100

logger = logging.getLogger("seqserve")


@dataclass(frozen=True, slots=True)
class Checked:
    """A bundle that passed its checks in this process or its parent; `closed` is the tagger without a session."""

    folder: Path
    manifest: Manifest
    closed: "ClosedTagger | None"


@dataclass(frozen=True, slots=True)
class ClosedTagger:
    """What workers share of a tagger: all but the session, which must be made after the fork."""

    bundle_parts: dict[str, Any]
    stamps: list[tuple[int, int]]

    def open(self, folder: Path, manifest: Manifest) -> TaggerBundle:
        """Open the graph again; its weights are mapped from the file, so this takes milliseconds.

        Raises BundleError when a file is no longer what was checked: a worker that replaces a dead one long after the
        start would else answer with another's weights.
        """
        if _stamps(folder, manifest) != self.stamps:
            verify_files(folder, manifest)
        entry = manifest.graphs.tagger
        return TaggerBundle(manifest=manifest, graph=Graph.open(folder / entry.file, entry), **self.bundle_parts)


@dataclass(frozen=True, slots=True)
class Model:
    """An open model: its manifest, where it runs, and what answers (for task "tag" a TaggerBundle and its batcher)."""

    manifest: Manifest
    provider: str
    bundle: TaggerBundle
    batcher: Batcher[TaggerBatch, TaggedSentence]


class Registry:
    """Models by name; `open` is called in the process that serves."""

    def __init__(self, checked: Iterable[Checked], open_model: Callable[[Checked], Model]) -> None:
        self._checked = {item.manifest.name: item for item in checked}
        self._open_model = open_model
        self._models: dict[str, Model] = {}

    def open(self) -> None:
        """Open every model; raises BundleError on the first that cannot be."""
        for name in sorted(self._checked):
            self._models[name] = self._open_model(self._checked[name])

    @property
    def missing(self) -> list[str]:
        """Names of the models that are not open yet."""
        return sorted(self._checked.keys() - self._models.keys())

    @property
    def models(self) -> list[Model]:
        """Every open model, by name."""
        return [self._models[name] for name in sorted(self._models)]

    def get(self, name: str) -> Model:
        """Return the model of that name; raises ModelNotFoundError, or NotReadyError while it is being opened."""
        if name in self._models:
            return self._models[name]
        if name in self._checked:
            raise NotReadyError(f"Model {name!r} is still being opened.", retry_after_s=NOT_READY_RETRY_S)
        known = ", ".join(sorted(self._checked))
        raise ModelNotFoundError(f"There is no model {name[:_ECHOED_CHARS]!r}; there are: {known}.")

    def find(self, name: str | None, *, task: str) -> Model:
        """Return the model of that name, or without a name the first by name that can do the task.

        Raises ModelNotFoundError, NotReadyError, and TaskMismatchError when the named model does something else.
        """
        if name is None:
            able = sorted(key for key, item in self._checked.items() if item.manifest.task == task)
            if not able:
                raise ModelNotFoundError(f"There is no model for the task {task!r} here.")
            name = able[0]
        model = self.get(name)
        if model.manifest.task != task:
            raise TaskMismatchError(f"Model {name!r} does {model.manifest.task!r}, not {task!r}.")
        return model


def check_bundles(models: Path, *, provider: str) -> list[Checked]:
    """Check every bundle of a folder (or the one bundle that it is).

    With provider "cpu" the graphs are run against their recorded answers here, once for all workers; with another one
    only files are verified here, because a GPU's state does not survive a fork.
    Raises BundleError: one sentence that names the file and says why.
    """
    folders = [models] if (models / MANIFEST_FILE).is_file() else find_bundles(models)
    if not folders:
        raise BundleError(f"{models}: holds no bundle, none of <name>/<version>/{MANIFEST_FILE} is there")
    checked: dict[str, Checked] = {}
    for folder in folders:
        item = _check_open(folder) if provider == "cpu" else Checked(folder, verify_bundle(folder), None)
        name = item.manifest.name
        if name in checked:
            raise BundleError(f"{folder}: names its model {name!r} as {checked[name].folder} does")
        checked[name] = item
    return list(checked.values())


def _check_open(folder: Path) -> Checked:
    stamps = _stamps(folder, read_manifest(folder))
    bundle = load_bundle(folder)
    parts = {
        "tags": bundle.tags,
        "words": bundle.words,
        "characters": bundle.characters,
        "reproducible": bundle.reproducible,
    }
    return Checked(folder, bundle.manifest, ClosedTagger(parts, stamps))


def _stamps(folder: Path, manifest: Manifest) -> list[tuple[int, int]]:
    """Inode and time of change of each file that a worker opens; empty when one is missing."""
    try:
        found = [(folder / entry.file).stat() for entry in (manifest.graphs.tagger, manifest.weights)]
    except OSError:
        return []
    return [(status.st_ino, status.st_ctime_ns) for status in found]


def choose_provider(setting: str) -> str:
    """Return "cpu" or "cuda" for a setting that may be "auto"; raises BundleError when it is not there at all."""
    if setting != "auto":
        provider_name(setting)
        return setting
    try:
        provider_name("cuda")
    except BundleError:
        return "cpu"
    return "auto"  # known only once a session was opened, in the worker


def open_tagger(checked: Checked, *, provider: str, max_queue_tokens: int) -> Model:
    """Open a checked tagger in the process that serves it; "auto" falls back to the CPU.

    Raises BundleError.
    """
    if provider == "cpu" and checked.closed is not None:
        bundle = checked.closed.open(checked.folder, checked.manifest)
    else:
        bundle, provider = _load_on(checked.folder, provider)
    return Model(checked.manifest, provider, bundle, make_batcher(bundle, max_queue_tokens=max_queue_tokens))


def make_batcher(bundle: TaggerBundle, *, max_queue_tokens: int) -> Batcher[TaggerBatch, TaggedSentence]:
    """Return a batcher whose rows are encoded sentences."""
    return Batcher(lambda rows: bundle.run(stack_rows(rows)), max_queue_tokens=max_queue_tokens)


def _load_on(folder: Path, provider: str) -> tuple[TaggerBundle, str]:
    if provider == "auto":
        try:
            return load_bundle(folder, provider="cuda"), "cuda"
        except BundleError as error:
            logger.warning("not on cuda: %s", error)
            provider = "cpu"
    return load_bundle(folder, provider=provider), provider
