"""The training task of an encoder-decoder: pairs of texts in, log-probability of a target token out."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqserve.training.batches import plan_evaluation
from seqserve.training.corpora import dev_names
from seqserve.training.loop import Training
from seqserve.training.reading.pairs import PairFile, build_vocabulary, read_texts, tokens_of
from seqserve.training.reading.token_ids import CorpusError
from seqserve.training.setup import notes_of_repeated, precision_of
from seqserve.training.task import DevScore
from seqserve.training.transducers.batch import Pair, batch_pairs, encode_pair
from seqserve.training.transducers.config import TransducerConfig
from seqserve.training.transducers.model import Transducer

EVALUATION_BATCH = 128
TextPair = tuple[list[str], list[str]]


class TransducerTask:
    """Pairs of texts; each target token is predicted from the source and the true tokens before it."""

    metric = "log-probability of a token"
    percent = False

    def __init__(self, config: TransducerConfig):
        self.config = config
        self.notes: list[str] = []
        train = [pair for file in config.data.train for pair in self._read(file)]
        files = [file.file for file in config.data.valid]
        names = dev_names(files, [""] * len(files))
        dev = {name: self._read(file) for name, file in zip(names, config.data.valid, strict=True)}
        held_out = {name: _hashable(pairs) for name, pairs in dev.items()}
        self.notes += notes_of_repeated("pairs", _hashable(train), held_out)
        self.vocabularies = (
            build_vocabulary([source for source, _ in train], config.source, "source.txt"),
            build_vocabulary([target for _, target in train], config.target, "target.txt"),
        )
        self.train = self._encode(train)
        self.dev = {name: self._encode(pairs) for name, pairs in dev.items()}
        torch.manual_seed(config.seed)
        loop = config.loop
        self.model = Transducer(
            config.model,
            *map(len, self.vocabularies),
            exact_tokens=loop.exact_tokens,
            sampled_tokens=loop.sampled_tokens,
        )
        self.model.precision = precision_of(loop)

    def epoch(self, generator: np.random.Generator) -> Sequence[Pair]:
        """Return all pairs; nothing about them is drawn."""
        return self.train

    def loss(self, examples: Sequence[Pair]) -> Tensor:
        """Return the mean of -ln P(y<t> | y<1>, ..., y<t-1>, x) over these pairs' target tokens, <EOS> included."""
        batch = batch_pairs(examples)
        return self.model.loss(batch) / batch.mask.sum()

    def evaluate(self) -> dict[str, DevScore]:
        """Return the mean ln P of a target token of each valid file, <EOS> included; the loss is its negative.

        Each file counts by its tokens, so that the mean over files is that over all tokens.
        """
        scores = {}
        for name, pairs in self.dev.items():
            total = 0.0
            for indices in plan_evaluation([len(pair) for pair in pairs], EVALUATION_BATCH):
                total += self.model.loss(batch_pairs([pairs[i] for i in indices])).item()
            num_tokens = sum(len(pair.target) for pair in pairs)
            scores[name] = DevScore(-total / num_tokens, total / num_tokens, num_tokens)
        return scores

    def state(self) -> dict[str, Any]:
        """Return weights, and both sides' tokens in the order of their ids."""
        source, target = self.vocabularies
        return {
            "weights": self.model.state_dict(),
            "source_tokens": list(source.tokens),
            "target_tokens": list(target.tokens),
        }

    def _read(self, file: PairFile) -> list[TextPair]:
        """Read the file's pairs within the limits of both sides, none with an empty side; note how many are left out.

        Raises CorpusError when there is none.
        """
        sides = self.config.source, self.config.target
        pairs = [tuple(map(tokens_of, texts, sides)) for texts in read_texts(file)]
        found = [
            (source, target)
            for source, target in pairs
            if 0 < len(source) <= sides[0].max_tokens and 0 < len(target) <= sides[1].max_tokens
        ]
        if left_out := len(pairs) - len(found):
            self.notes.append(
                f"{file.file}: {left_out:,} of {len(pairs):,} pairs are left out: one side is empty, or longer than "
                "source.max_tokens or target.max_tokens"
            )
        if not found:
            raise CorpusError(f"{file.file}: it holds no pair within source.max_tokens and target.max_tokens")
        return found

    def _encode(self, pairs: Sequence[TextPair]) -> list[Pair]:
        return [encode_pair(source, target, self.vocabularies) for source, target in pairs]


def _hashable(pairs: Iterable[TextPair]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(tuple(source), tuple(target)) for source, target in pairs]


def training(config: TransducerConfig, folder: Path) -> Training:
    """Return the training of a configuration in its run folder."""
    return Training(config, folder, TransducerTask)
