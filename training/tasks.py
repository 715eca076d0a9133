"""The task of a configuration; a new kind is one line here."""

from __future__ import annotations

from typing import Any

from training.classifiers.classifier_config import ClassifierConfig
from training.classifiers.classifier_task import ClassifierTask
from training.config import Config
from training.taggers.tagger_task import TaggerTask
from training.task import Task
from training.transducers.transducer_config import TransducerConfig
from training.transducers.transducer_task import TransducerTask


def build_task(config: Any) -> Task:
    """Reads the data of a configuration and builds its model."""
    kinds: dict[type, Any] = {Config: TaggerTask, ClassifierConfig: ClassifierTask, TransducerConfig: TransducerTask}
    task: Task = kinds[type(config)](config)
    return task
