"""What a training of a tagger or a classifier may begin with: an earlier run, or a bundle."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from seqserve.loading import locate, verify_bundle
from seqserve.manifest import MANIFEST_FILE
from seqserve.tagger.tags import make_tags
from seqserve.training.checkpoints import CONFIG, MODEL, RunError, load_tensors, must_fit, read_run_config
from seqserve.training.export.reader import reader_architecture
from seqserve.training.export.recovery import RecoveryError, Stored, recover_crf, recover_reader
from seqserve.training.reading.features import Features, forms_of
from seqserve.vocabulary.words import CharacterVocabulary

TASKS = ("tag", "classify")


@dataclass(frozen=True, kw_only=True)
class Start:
    """Weights and vocabularies.

    path: the file of the weights. settings: what must be the same in the configuration, as tables. names: a tagger's
    tags, a classifier's labels, in the order of the weights; labels: of both.
    """

    path: Path
    task: str
    settings: Mapping[str, Any]
    weights: Mapping[str, NDArray[Any]]
    forms: Sequence[str]
    characters: Sequence[str]
    names: Sequence[str]
    labels: Sequence[str]

    def features(self) -> Features:
        """Return the vocabularies and the tables of vectors."""
        tables: list[tuple[NDArray[Any], NDArray[Any]]] = []
        while (prefix := f"words.tables.{len(tables)}") + ".rows" in self.weights:
            tables.append((self.weights[prefix + ".rows"], self.weights[prefix + ".vectors"]))
        rows = self.weights.get("words.trained_rows", np.zeros(len(self.forms) + 2, np.int32))
        return Features(tuple(self.forms), tables, rows, CharacterVocabulary(self.characters))


def read_start(where: str) -> Start:
    """Read a run's folder, or a bundle that is found as `seqserve.load` finds it.

    Raises RunError for weights that cannot be trained, BundleError and ModelNotFoundError.
    """
    if is_run(where):
        return _of_run(Path(os.path.abspath(where)))
    return _of_bundle(Path(os.path.abspath(locate(where))))


def is_run(where: str | Path) -> bool:
    """Return whether the folder is that of a run, and not a bundle."""
    return (Path(where) / CONFIG).is_file()


def start_file(config: Any) -> list[str]:
    """Return the file that changes when what a tagger or a classifier starts from does."""
    if config.task not in TASKS or not config.loop.start_from:
        return []
    folder = Path(config.loop.start_from)
    return [str(folder / (MODEL if is_run(config.loop.start_from) else MANIFEST_FILE))]


def _of_run(folder: Path) -> Start:
    config: Any = read_run_config(folder)
    _check_task(folder, config.task)
    state = load_tensors(folder / MODEL)
    with must_fit(folder / MODEL):
        weights = {name: tensor.numpy() for name, tensor in state["weights"].items()}
        longest = config.model.characters.max_word_chars
        return Start(
            path=folder / MODEL,
            task=config.task,
            settings=_settings(config.task, weights, config.model, longest) | _text(config),
            weights=weights,
            forms=forms_of(state["forms"]),
            characters=state["characters"],
            names=state.get("tags", config.data.labels),
            labels=config.data.labels,
        )


def _of_bundle(folder: Path) -> Start:
    manifest: Any = verify_bundle(folder)
    _check_task(folder, manifest.task)
    path, architecture, files = folder / manifest.weights.file, manifest.architecture, manifest.vocabularies
    stored = Stored(safetensors.numpy.load_file(path))
    try:
        weights = recover_reader(stored, cell=architecture.cell, hidden_size=architecture.hidden_size)
        head = (
            recover_crf(stored) if manifest.task == "tag" else {n: stored[n] for n in ("output.weight", "output.bias")}
        )
    except RecoveryError as error:
        raise RunError(f"{path}: cannot be started from: {error}") from None
    weights = {name: np.array(array) for name, array in {**weights, **head}.items()}
    return Start(
        path=path,
        task=manifest.task,
        settings=_settings(manifest.task, weights, architecture, manifest.limits.max_word_chars) | _text(manifest),
        weights=weights,
        forms=forms_of((folder / files.words.file).read_text(encoding="utf-8")),
        characters=forms_of((folder / files.characters.file).read_text(encoding="utf-8")),
        names=make_tags(architecture.labels, architecture.scheme) if manifest.task == "tag" else architecture.labels,
        labels=architecture.labels,
    )


def _check_task(folder: Path, task: str) -> None:
    if task not in TASKS:
        raise RunError(f"{folder}: is for task = {task!r}; what is started from is a tagger or a classifier")


def _settings(task: str, weights: Mapping[str, NDArray[Any]], own: Any, max_word_chars: int) -> dict[str, Any]:
    """Return the table [model] without what may change; `own`: has cell and scheme, or cell and pooling."""
    found = reader_architecture(weights, own.cell)
    kind = found.pop("characters")
    projection, trained = weights.get("words.projection.weight"), weights.get("words.trained.weight")
    model = {
        **found,
        "feed_forward": tuple(found["feed_forward"]),
        **({"scheme": own.scheme} if task == "tag" else {"pooling": own.pooling}),
        "words": {
            "vectors": (),  # they come with the weights
            "projection_dim": 0 if projection is None else len(projection),
            "trained_dim": 0 if trained is None else trained.shape[1],
        },
        "characters": {"kind": kind, "max_word_chars": max_word_chars, **_character_sizes(weights, kind)},
    }
    return {"model": model}


def _character_sizes(weights: Mapping[str, NDArray[Any]], kind: str) -> dict[str, int]:
    if kind == "none":
        return {}
    embedding_dim = weights["characters.embedding.weight"].shape[1]
    if kind == "lstm":
        return {"embedding_dim": embedding_dim, "size": weights["characters.forward_cell.weight_hh_l0"].shape[1]}
    size, _, width = weights["characters.convolution.weight"].shape
    return {"embedding_dim": embedding_dim, "size": size, "width": width}


def _text(own: Any) -> dict[str, Any]:
    """Return the table [text] of a classifier, from its configuration or its manifest; a tagger has none."""
    if own.task != "classify":
        return {}
    tokenization = own.text.tokenization if hasattr(own, "text") else own.tokenization.name
    return {"text": {"tokenization": tokenization}}
