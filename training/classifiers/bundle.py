"""Write a trained classifier as a bundle: graph, weights, vocabularies, golden answers, card, manifest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from seqserve.classifier.load import ClassifierGolden, classifier_signature, read_parts
from seqserve.classifier.manifest import (
    ClassifierArchitecture,
    ClassifierGraphs,
    ClassifierLimits,
    ClassifierManifest,
    ClassifierVocabularies,
)
from seqserve.entries import CellName, LookupStep, Tokenization, TokenizerName
from seqserve.training.classifiers.graph import ClassifierOptions, build_classifier
from seqserve.training.export.folder import (
    WEIGHTS_FILE,
    Card,
    common_fields,
    finish,
    graph_entry,
    new_folder,
    vocabulary_entry,
    write_card,
)
from seqserve.training.export.reader import (
    CHARACTERS_FILE,
    WORDS_FILE,
    check_vocabularies,
    reader_architecture,
    write_vocabularies,
)
from seqserve.training.export.weights import Arrays, num_parameters, save_graphs
from seqserve.vocabulary.words import LOOKUP_STEPS

GRAPH_FILE = "classifier.onnx"

_DECIMALS = 6  # of recorded probabilities


@dataclass(frozen=True, kw_only=True)
class TrainedClassifier:
    """A classifier as training leaves it.

    weights: its state dict as arrays. forms, characters: in the order of their ids, which is that of their UTF-8
    bytes; the first has id 2. max_tokens: of a text.
    """

    weights: Arrays
    forms: Sequence[str]
    characters: Sequence[str]
    labels: Sequence[str]
    cell: CellName
    pooling: Literal["last", "middle", "mean", "max"]
    tokenization: TokenizerName
    max_word_chars: int = 32
    max_tokens: int = 512


def export_classifier(
    folder: Path,
    trained: TrainedClassifier,
    card: Card,
    golden: Sequence[Sequence[str]],
    *,
    replace: bool = False,
) -> ClassifierManifest:
    """Write the bundle `folder`, in one step and only after it has been loaded and checked.

    `golden`: tokens of texts whose answers are recorded. Raises ValueError when the parts do not fit each other,
    FileExistsError, and BundleError when the written bundle does not load.
    """
    check_vocabularies(trained.weights, trained.forms, trained.characters)
    if trained.weights["output.bias"].shape != (len(trained.labels),):
        raise ValueError(f"the weights are for {len(trained.weights['output.bias'])} labels, not {len(trained.labels)}")
    with new_folder(folder, replace=replace) as work:
        graph = build_classifier(trained.weights, ClassifierOptions(trained.cell, trained.pooling))
        save_graphs(work, weights_file=WEIGHTS_FILE, graphs={GRAPH_FILE: graph})
        write_vocabularies(work, trained.forms, trained.characters)
        write_card(work, card)
        manifest = _manifest(work, trained, card)
        answers = read_parts(work, manifest).open(work).classify(golden)
        recorded = ClassifierGolden(
            texts=[list(tokens) for tokens in golden],
            probs=[np.round(probs.astype(np.float64), _DECIMALS).tolist() for probs in answers],
        )
        return finish(work, manifest, recorded)


def _manifest(folder: Path, trained: TrainedClassifier, card: Card) -> ClassifierManifest:
    labels = list(trained.labels)
    return ClassifierManifest(
        **common_fields(folder, card),
        architecture=ClassifierArchitecture(
            **reader_architecture(trained.weights, trained.cell),
            pooling=trained.pooling,
            num_parameters=num_parameters(trained.weights),
            labels=labels,
        ),
        graphs=ClassifierGraphs(classifier=graph_entry(folder, GRAPH_FILE, classifier_signature(len(labels)))),
        vocabularies=ClassifierVocabularies(
            words=vocabulary_entry(folder, WORDS_FILE, len(trained.forms) + 2),
            characters=vocabulary_entry(folder, CHARACTERS_FILE, len(trained.characters) + 2),
        ),
        tokenization=Tokenization(
            name=trained.tokenization, lookup=msgspec.convert(list(LOOKUP_STEPS), list[LookupStep])
        ),
        limits=ClassifierLimits(max_word_chars=trained.max_word_chars, max_tokens=trained.max_tokens),
    )
