"""The training task of a tagger: files of sentences in, span F1 out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqserve.tagger.tags import make_tags, spans_from_tags
from seqserve.text.forms import is_readable
from seqserve.training.batches import plan_evaluation
from seqserve.training.corpora import data_path, dev_names
from seqserve.training.loop import Training
from seqserve.training.reading.annotated_text import misfit_lines
from seqserve.training.reading.conll import Sentence, map_labels, to_scheme
from seqserve.training.reading.dataset import Example
from seqserve.training.reading.dna import read_splice
from seqserve.training.reading.examples import ReadOptions, read_examples
from seqserve.training.reading.features import words_text
from seqserve.training.reading.lines import TextError
from seqserve.training.reading.served_tokens import on_own_tokens, on_served_tokens
from seqserve.training.setup import (
    EVALUATION_BATCH,
    check_dev,
    check_labels,
    notes_of_dropped,
    notes_of_repeated,
    precision_of,
    prepare_features,
)
from seqserve.training.taggers.augment import MARK_TOKENS, Augmenter
from seqserve.training.taggers.config import CorpusConfig, TaggerConfig
from seqserve.training.taggers.metrics import score_spans
from seqserve.training.taggers.model import build_tagger
from seqserve.training.task import DevScore
from seqserve.training.warm_start import copy_start, start_notes, started


class TaggerTask:
    """Sentences from every corpus of the configuration; the seed alone decides the first weights."""

    metric = "F1"
    percent = True

    def __init__(self, config: TaggerConfig):
        corpora = (*config.data.train, *config.data.dev)
        notes: list[str] = []
        files = [read_sentences(corpus, notes) for corpus in corpora]
        notes += check_corpora(config, files)
        own = [
            prepare(sentences, replace(corpus, tokens="own"), config)
            for sentences, corpus in zip(files, config.data.train, strict=False)
        ]
        files = [prepare(sentences, corpus, config) for sentences, corpus in zip(files, corpora, strict=True)]
        train, names = files[: len(config.data.train)], names_of_dev(config.data.dev)
        dev = dict(zip(names, files[len(train) :], strict=True))
        learned = (sentence.tokens for sentences in train for sentence in sentences)
        self.notes = [*notes, *notes_of_repeated("sentences", learned, _tokens_of(dev))]
        tokens = [[token for s in sentences for token in s.tokens] for sentences in (*train, *own, *dev.values())]
        start = started(config)
        others = [*tokens[len(train) :], MARK_TOKENS]
        self.features, self.surfaces = prepare_features(
            config.model, learned=tokens[: len(train)], others=others, start=start
        )
        self.config = config
        self.tags = make_tags(config.data.labels, config.model.scheme)
        tag_ids = {tag: i for i, tag in enumerate(self.tags)}
        torch.manual_seed(config.seed)
        self.model = build_tagger(config.model, config.data.labels, self.features)
        if start is not None:
            copy_start(self.model, start, self.tags)
            self.notes += start_notes(start, config.data.labels, chain.from_iterable(tokens[: len(train)]))
        self.model.precision = precision_of(config.loop)
        self.span_edges = edges_of(train)

        def examples(corpora: Sequence[Sequence[Sentence]]) -> tuple[list[Example], ...]:
            return tuple(
                [self.surfaces.example(sentence, tag_ids) for sentence in sentences] * corpus.repeat
                for corpus, sentences in zip(config.data.train, corpora, strict=True)
            )

        self.train, self._own = examples(train), examples(own)
        self.dev = {
            name: [self.surfaces.example(sentence, tag_ids) for sentence in sentences]
            for name, sentences in dev.items()
        }
        self._augmenter = Augmenter(config.augment, self.surfaces, self.tags, scheme=config.model.scheme)
        self._mentions = [self._augmenter.mentions(examples) for examples in self.train]

    def epoch(self, generator: np.random.Generator) -> Sequence[Example]:
        return [
            self._augmenter.draw(self._augmenter.choose(served, own, generator), mentions, generator)
            for corpus, own_corpus, mentions in zip(self.train, self._own, self._mentions, strict=True)
            for served, own in zip(corpus, own_corpus, strict=True)
        ]

    def loss(self, examples: Sequence[Example]) -> Tensor:
        """Return the mean over the sentences of −ln P(tags | sentence)."""
        return self.model.loss(*self.surfaces.batch(examples))

    def evaluate(self) -> dict[str, DevScore]:
        """Return span F1 (a fraction) of Viterbi tags on each dev file, and the mean of −ln P(tags | sentence)."""
        return {
            name: self._score(examples, corpus.weight)
            for (name, examples), corpus in zip(self.dev.items(), self.config.data.dev, strict=True)
        }

    def state(self) -> dict[str, Any]:
        return {
            "weights": self.model.state_dict(),
            "forms": words_text(self.features.forms),
            "characters": list(self.features.characters.characters),
            "tags": list(self.tags),
            "span_edges": self.span_edges,
        }

    def _score(self, examples: list[Example], weight: float) -> DevScore:
        gold, predicted, loss = [], [], 0.0
        for indices in plan_evaluation([len(e) for e in examples], EVALUATION_BATCH):
            chosen = [examples[i] for i in indices]
            found, losses = self.model.answer(*self.surfaces.batch(chosen))
            loss += losses.sum().item()
            for example, row in zip(chosen, found.numpy(), strict=True):
                gold.append(spans_from_tags([self.tags[i] for i in example.tags]))
                predicted.append(spans_from_tags([self.tags[i] for i in row[: len(example)]]))
        return DevScore(score_spans(gold, predicted).f1, loss / max(1, len(examples)), weight)


def read_corpus(corpus: CorpusConfig, config: TaggerConfig) -> list[Sentence]:
    """Read one file of the configuration, in the model's scheme and with the configured labels."""
    return prepare(read_sentences(corpus, []), corpus, config)


def read_sentences(corpus: CorpusConfig, notes: list[str]) -> list[Sentence]:
    """Read one file of the configuration as it is written, and note which spans fit no tokens.

    Raises TextError when it holds no sentence.
    """
    path = data_path(corpus.file)
    if corpus.format == "splice":
        sentences = read_splice(path, corpus.part)
    else:
        options = ReadOptions(
            format=corpus.format,
            unaligned=corpus.unaligned,
            token_column=corpus.token_column,
            tag_column=corpus.tag_column,
            tag_names=corpus.tag_names,
        )
        found = read_examples(path, options)
        if found.misfits:
            notes.append("\n".join([f"{path}:", *misfit_lines(found.misfits)]))
        sentences = found.sentences
    if not sentences:
        raise TextError(f"{path}: it holds no sentence")
    return sentences


def check_corpora(config: TaggerConfig, files: Sequence[Sequence[Sentence]]) -> list[str]:
    """Return a line that says which labels are read as O, if any are.

    Raises ConfigError for a label that is never learned from and for a dev file without any of the labels.

    `files`: of data.train, then of data.dev, as they are written.
    """
    learned, held, others = set[str](), set[str](), Counter[str]()
    num_train = len(config.data.train)
    for i, (corpus, sentences) in enumerate(zip((*config.data.train, *config.data.dev), files, strict=True)):
        mapping = _mapping(corpus, config)
        counts = Counter(span.label for each in sentences for span in spans_from_tags(each.tags))
        if i < num_train:
            held.update(counts)
            learned.update(mapping[label] for label in counts if label in mapping)
        elif corpus.weight and config.loop.keep == "best":
            check_dev(corpus.file, config.data.labels, found=counts.keys() & mapping.keys(), held=counts)
        others.update({label: count for label, count in counts.items() if label not in mapping})
    check_labels(config.data.labels, learned, held)
    return notes_of_dropped("read as O, as data.labels or a file's map does not name them", others)


def _mapping(corpus: CorpusConfig, config: TaggerConfig) -> Mapping[str, str]:
    """Return the label of the model by the label in the file."""
    return corpus.map if corpus.map is not None else {label: label for label in config.data.labels}


def prepare(sentences: Sequence[Sentence], corpus: CorpusConfig, config: TaggerConfig) -> list[Sentence]:
    """Return a file's sentences as the model reads them, in its scheme, with the configured labels and case."""
    sentences = map_labels(sentences, _mapping(corpus, config))
    if corpus.format != "splice":
        read = on_served_tokens if corpus.tokens == "served" else on_own_tokens
        sentences = [read(sentence) for sentence in sentences if is_readable(sentence.tokens)]
    sentences = to_scheme(sentences, config.model.scheme)
    if corpus.case == "as-is":
        return sentences
    change = str.lower if corpus.case == "lower" else str.upper
    return [Sentence(tuple(change(token) for token in s.tokens), s.tags) for s in sentences]


def edges_of(files: Sequence[Sequence[Sentence]]) -> list[str]:
    """Return the tokens without letter or digit at which at least 1 % of the spans of some label begin or end."""
    spans, edges = Counter[str](), Counter[tuple[str, str]]()
    for sentence in (each for sentences in files for each in sentences):
        for label, start, end in spans_from_tags(sentence.tags):
            spans[label] += 1
            ends = {sentence.tokens[start], sentence.tokens[end - 1]}
            edges.update((label, token) for token in ends if not any(map(str.isalnum, token)))
    return sorted({token for (label, token), count in edges.items() if 100 * count >= spans[label]})


def _tokens_of(files: Mapping[str, Sequence[Sentence]]) -> dict[str, list[tuple[str, ...]]]:
    return {name: [sentence.tokens for sentence in sentences] for name, sentences in files.items()}


def names_of_dev(corpora: Sequence[CorpusConfig]) -> list[str]:
    """Return the name of each dev file, with its case and part where they are set."""
    details = [
        [corpus.case] * (corpus.case != "as-is")
        + [f"{corpus.part[0]:g} to {corpus.part[1]:g}"] * (tuple(corpus.part) != (0.0, 1.0))
        for corpus in corpora
    ]
    return dev_names([corpus.file for corpus in corpora], [", ".join(each) for each in details])


def training(config: TaggerConfig, folder: Path) -> Training:
    """Return the training of a configuration in its run folder."""
    return Training(config, folder, TaggerTask)
