"""The task of a configuration; a new kind is one line here."""

from __future__ import annotations

from typing import Any

from seqserve.training.classifiers.config import ClassifierConfig
from seqserve.training.classifiers.task import ClassifierTask
from seqserve.training.config import Config
from seqserve.training.taggers.task import TaggerTask
from seqserve.training.task import Task
from seqserve.training.transducers.config import TransducerConfig
from seqserve.training.transducers.task import TransducerTask


def build_task(config: Any) -> Task:
    """Reads the data of a configuration and builds its model."""
    kinds: dict[type, Any] = {Config: TaggerTask, ClassifierConfig: ClassifierTask, TransducerConfig: TransducerTask}
    task: Task = kinds[type(config)](config)
    return task
