"""A classifier as a task: texts with labels in, accuracy out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqserve.text.tokenizers import TOKENIZERS
from seqserve.training.batches import plan_evaluation
from seqserve.training.classifiers.config import ClassifierConfig, LabelledFile
from seqserve.training.classifiers.model import build_classifier
from seqserve.training.reading.labelled_text import LabelledText, read_labelled
from seqserve.training.reading.text import TextError
from seqserve.training.setup import EVALUATION_BATCH, data_path, precision_of, prepare_features


@dataclass(frozen=True)
class LabelledExample:
    """One text: surface ids (T,) and the place of its label."""

    surfaces: np.ndarray
    label: int

    def __len__(self) -> int:
        return len(self.surfaces)


class ClassifierTask:
    """Classifiers learn from every file of their configuration; the seed alone decides the first weights."""

    metric = "accuracy"
    percent = True

    def __init__(self, config: ClassifierConfig):
        self.config = config
        train = [_tokenized(file, config) for file in config.data.train]
        dev = [_tokenized(file, config) for file in config.data.dev]
        tokens = [[token for words, _ in texts for token in words] for texts in (*train, *dev)]
        self.features, self.surfaces = prepare_features(
            config.model, learned=tokens[: len(train)], others=tokens[len(train) :]
        )
        torch.manual_seed(config.seed)
        self.model = build_classifier(config.model, len(config.data.labels), self.features)
        self.model.precision = precision_of(config.loop)
        self.train = [example for texts in train for example in self._examples(texts)]
        names = _distinct_names(config.data.dev)
        self.dev = {name: self._examples(texts) for name, texts in zip(names, dev, strict=True)}

    def epoch(self, generator: np.random.Generator) -> Sequence[LabelledExample]:
        is_lower = generator.random(len(self.train)) < self.config.augment.lower
        return [
            LabelledExample(self.surfaces.lower[example.surfaces], example.label) if lower else example
            for example, lower in zip(self.train, is_lower, strict=True)
        ]

    def loss(self, examples: Sequence[LabelledExample]) -> Tensor:
        """Mean over the texts of -ln P(label | text)."""
        labels = torch.tensor([example.label for example in examples])
        return self.model.loss(*self.surfaces.pad([example.surfaces for example in examples]), labels)

    def evaluate(self) -> dict[str, float]:
        """Share of right labels in each dev file."""
        return {name: self._accuracy(examples) for name, examples in self.dev.items()}

    def weights_of_dev(self) -> list[float]:
        return [file.weight for file in self.config.data.dev]

    def state(self) -> dict[str, Any]:
        return {
            "weights": self.model.state_dict(),
            "forms": list(self.features.forms),
            "characters": list(self.features.characters.characters),
        }

    def _examples(self, texts: Sequence[tuple[list[str], str]]) -> list[LabelledExample]:
        labels = {label: place for place, label in enumerate(self.config.data.labels)}
        return [LabelledExample(self.surfaces.ids(tokens), labels[label]) for tokens, label in texts]

    def _accuracy(self, examples: Sequence[LabelledExample]) -> float:
        num_right = 0
        for indices in plan_evaluation([len(example) for example in examples], EVALUATION_BATCH):
            chosen = [examples[i] for i in indices]
            found = self.model(*self.surfaces.pad([example.surfaces for example in chosen])).argmax(dim=1)
            num_right += sum(int(label) == example.label for label, example in zip(found, chosen, strict=True))
        return num_right / len(examples)


def _tokenized(file: LabelledFile, config: ClassifierConfig) -> list[tuple[list[str], str]]:
    """Tokens and label of every text, cut at the longest; raises TextError when the file holds none."""
    path = data_path(file.file)
    texts: list[LabelledText] = read_labelled(path, file, config.data.labels)
    tokenize = TOKENIZERS[config.text.tokenization]
    tokenized = [([t.text for t in tokenize(each.text)][: config.text.max_tokens], each.label) for each in texts]
    found = [(tokens, label) for tokens, label in tokenized if tokens]
    if not found:
        raise TextError(f"{path}: it holds no text with one of the labels {', '.join(config.data.labels)}")
    return found


def _distinct_names(files: Sequence[LabelledFile]) -> list[str]:
    """A name for each dev file: what tells it from the others is added where two parts of one file are there."""
    names = [file.file for file in files]
    return [
        name if names.count(name) == 1 else f"{name} ({file.file_label or f'{file.part[0]:g} to {file.part[1]:g}'})"
        for name, file in zip(names, files, strict=True)
    ]
