"""From a configuration to everything a training needs: corpora, vocabularies, model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from bundle.tags import make_tags
from training.config import Config, CorpusConfig
from training.conll import Sentence, map_labels, read_conll, to_scheme
from training.corpora import corpus_file, known_corpora
from training.dataset import Example, Surfaces
from training.features import Features, build_features
from training.tagger import Tagger, build_tagger
from training.vectors import WordVectors, load_vectors


@dataclass(frozen=True)
class Setup:
    """`train` holds one list of examples per corpus, `dev` the examples of each dev file by name."""

    features: Features
    tags: tuple[str, ...]
    surfaces: Surfaces
    train: tuple[list[Example], ...]
    dev: dict[str, list[Example]]
    model: Tagger


def prepare(config: Config) -> Setup:
    """Reads the data and builds a model whose first weights depend on `config.seed` alone."""
    train = [read_corpus(corpus, config) for corpus in config.data.train]
    dev = {dev_name(corpus): read_corpus(corpus, config) for corpus in config.data.dev}
    features = build_features(
        (token for sentences in train for sentence in sentences for token in sentence.tokens),
        [read_vectors(source) for source in config.model.words.vectors],
        config.model.words,
        config.model.characters,
    )
    everything = [*(sentence for sentences in train for sentence in sentences), *(s for d in dev.values() for s in d)]
    surfaces = Surfaces(
        (token for sentence in everything for token in sentence.tokens),
        features.word_vocabulary(),
        features.characters,
        max_word_chars=config.model.characters.max_word_chars,
    )
    tags = make_tags(config.data.labels, config.model.scheme)
    tag_ids = {tag: i for i, tag in enumerate(tags)}
    torch.manual_seed(config.seed)
    model = build_tagger(config.model, config.data.labels, features)
    model.precision = torch.bfloat16 if config.loop.precision == "bf16" else torch.float32
    return Setup(
        features,
        tags,
        surfaces,
        tuple(
            [surfaces.example(sentence, tag_ids) for sentence in sentences] * corpus.repeat
            for corpus, sentences in zip(config.data.train, train, strict=True)
        ),
        {name: [surfaces.example(sentence, tag_ids) for sentence in sentences] for name, sentences in dev.items()},
        model,
    )


def read_corpus(corpus: CorpusConfig, config: Config) -> list[Sentence]:
    """One file of the configuration, in the model's scheme and with the configured labels."""
    path = data_path(corpus.file)
    sentences = read_conll(path, token_column=corpus.token_column, tag_column=corpus.tag_column)
    mapping = corpus.map if corpus.map is not None else {label: label for label in config.data.labels}
    sentences = to_scheme(map_labels(sentences, mapping), config.model.scheme)
    if corpus.case == "as-is":
        return sentences
    change = str.lower if corpus.case == "lower" else str.upper
    return [Sentence(tuple(change(token) for token in s.tokens), s.tags) for s in sentences]


def read_vectors(source: str) -> WordVectors:
    return load_vectors(source if source.startswith("package:") else data_path(source))


def data_path(name: str) -> Path:
    """A file of a known data set, checked ("wnut17/dev.conll"), or else a path of the user's own."""
    is_known = name.split("/")[0] in {corpus.name for corpus in known_corpora()}
    return corpus_file(name) if is_known else Path(name)


def dev_name(corpus: CorpusConfig) -> str:
    return corpus.file if corpus.case == "as-is" else f"{corpus.file} ({corpus.case})"
