"""The training task of a classifier: texts with labels in, accuracy out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from seqserve.text.tokenizers import TOKENIZERS
from seqserve.training.batches import plan_evaluation
from seqserve.training.classifiers.config import ClassifierConfig
from seqserve.training.classifiers.model import build_classifier
from seqserve.training.corpora import data_path, dev_names
from seqserve.training.loop import Training
from seqserve.training.reading.features import words_text
from seqserve.training.reading.labelled_text import LabelledFile, LabelledText, read_labelled
from seqserve.training.reading.lines import TextError
from seqserve.training.setup import (
    EVALUATION_BATCH,
    check_labels,
    notes_of_dropped,
    notes_of_repeated,
    precision_of,
    prepare_features,
)
from seqserve.training.task import DevScore
from seqserve.training.warm_start import copy_start, start_notes, started


@dataclass(frozen=True)
class LabelledExample:
    """One text: surface ids (T,) and the index of its label."""

    surfaces: np.ndarray
    label: int

    def __len__(self) -> int:
        return len(self.surfaces)


class ClassifierTask:
    """Texts with labels from every file of the configuration; the seed alone decides the first weights."""

    metric = "accuracy"
    percent = True

    def __init__(self, config: ClassifierConfig):
        self.config = config
        dropped = Counter[str]()
        train = [_tokenized(file, config, dropped) for file in config.data.train]
        dev = [_tokenized(file, config, dropped) for file in config.data.dev]
        names = _names_of_dev(config.data.dev)
        held_out = {name: _texts_of([texts]) for name, texts in zip(names, dev, strict=True)}
        self.notes = [
            *notes_of_dropped("texts left out, as a file's map does not name their labels", dropped),
            *notes_of_repeated("texts", _texts_of(train), held_out),
        ]
        learned = {label for texts in train for _, label in texts}
        check_labels(config.data.labels, learned, held=learned)
        tokens = [[token for words, _ in texts for token in words] for texts in (*train, *dev)]
        start = started(config)
        self.features, self.surfaces = prepare_features(
            config.model, learned=tokens[: len(train)], others=tokens[len(train) :], start=start
        )
        torch.manual_seed(config.seed)
        self.model = build_classifier(config.model, len(config.data.labels), self.features)
        if start is not None:
            copy_start(self.model, start, config.data.labels)
            self.notes += start_notes(start, config.data.labels, chain.from_iterable(tokens[: len(train)]))
        self.model.precision = precision_of(config.loop)
        self.train = [example for texts in train for example in self._examples(texts)]
        self.dev = {name: self._examples(texts) for name, texts in zip(names, dev, strict=True)}

    def epoch(self, generator: np.random.Generator) -> Sequence[LabelledExample]:
        is_lower = generator.random(len(self.train)) < self.config.augment.lower
        return [
            LabelledExample(self.surfaces.lower[example.surfaces], example.label) if lower else example
            for example, lower in zip(self.train, is_lower, strict=True)
        ]

    def loss(self, examples: Sequence[LabelledExample]) -> Tensor:
        """Return the mean over the texts of -ln P(label | text)."""
        labels = torch.tensor([example.label for example in examples])
        return self.model.loss(*self.surfaces.pad([example.surfaces for example in examples]), labels)

    def evaluate(self) -> dict[str, DevScore]:
        """Return the share of right labels in each dev file, and the mean of -ln P(label | text)."""
        return {
            name: self._score(examples, file.weight)
            for (name, examples), file in zip(self.dev.items(), self.config.data.dev, strict=True)
        }

    def state(self) -> dict[str, Any]:
        return {
            "weights": self.model.state_dict(),
            "forms": words_text(self.features.forms),
            "characters": list(self.features.characters.characters),
        }

    def _examples(self, texts: Sequence[tuple[list[str], str]]) -> list[LabelledExample]:
        labels = {label: place for place, label in enumerate(self.config.data.labels)}
        return [LabelledExample(self.surfaces.ids(tokens), labels[label]) for tokens, label in texts]

    def _score(self, examples: Sequence[LabelledExample], weight: float) -> DevScore:
        num_right, loss = 0, 0.0
        for indices in plan_evaluation([len(example) for example in examples], EVALUATION_BATCH):
            chosen = [examples[i] for i in indices]
            logits = self.model(*self.surfaces.pad([example.surfaces for example in chosen]))
            labels = torch.tensor([example.label for example in chosen])
            num_right += int((logits.argmax(dim=1) == labels).sum())
            loss += cross_entropy(logits, labels, reduction="sum").item()
        return DevScore(num_right / len(examples), loss / len(examples), weight)


def _tokenized(file: LabelledFile, config: ClassifierConfig, dropped: Counter[str]) -> list[tuple[list[str], str]]:
    """Return tokens and label of every text, cut at the longest; raises TextError when the file holds none."""
    path = data_path(file.file)
    texts: list[LabelledText] = read_labelled(path, file, config.data.labels, dropped=dropped)
    tokenize = TOKENIZERS[config.text.tokenization]
    tokenized = [([t.text for t in tokenize(each.text)][: config.text.max_tokens], each.label) for each in texts]
    found = [(tokens, label) for tokens, label in tokenized if tokens]
    if not found:
        raise TextError(f"{path}: no text has one of the labels {', '.join(config.data.labels)}")
    return found


def _texts_of(files: Iterable[Sequence[tuple[list[str], str]]]) -> list[tuple[str, ...]]:
    return [tuple(tokens) for texts in files for tokens, _ in texts]


def _names_of_dev(dev: Sequence[LabelledFile]) -> list[str]:
    """Return the name of each dev file; where parts of one file are used, the name says which part."""
    files = [file.file for file in dev]
    details = [file.file_label or f"{file.part[0]:g} to {file.part[1]:g}" for file in dev]
    return dev_names(
        files, [detail if files.count(file) > 1 else "" for file, detail in zip(files, details, strict=True)]
    )


def training(config: ClassifierConfig, folder: Path) -> Training:
    """Return the training of a configuration in its run folder."""
    return Training(config, folder, ClassifierTask)
