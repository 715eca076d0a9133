"""Small random classifiers in torch, to be exported."""

from pathlib import Path

import numpy as np
import torch

from seqserve.classifier.load import classifier_signature
from seqserve.graph import Graph
from seqserve.training.classifiers.graph import ClassifierOptions, build_classifier
from seqserve.training.classifiers.model import Classifier
from seqserve.training.layers.encoder import Encoder, EncoderDropout
from seqserve.training.layers.words import WordFeatures
from tests.training.export.sessions import open_graph
from tests.training.export.taggers import CHARACTERS, NUM_WORDS, random_tables


def random_classifier(
    seed: int = 0,
    *,
    cell: str = "lstm",
    bidirectional: bool = True,
    num_layers: int = 1,
    hidden_size: int = 9,
    pooling: str = "max",
    characters: str = "cnn",
    feed_forward: tuple[int, ...] = (),
    num_labels: int = 3,
) -> Classifier:
    torch.manual_seed(seed)
    words = WordFeatures(
        random_tables(seed, (12,)),
        np.arange(NUM_WORDS, dtype=np.int32),
        projection_dim=8,
        trained_dim=4,
        word_dropout=0.5,
        unknown_probability=0.5,
    )
    character_features = CHARACTERS[characters]()
    input_size = words.size + (character_features.size if character_features is not None else 0)
    encoder = Encoder(
        cell,
        (input_size, hidden_size),
        num_layers=num_layers,
        bidirectional=bidirectional,
        dropout=EncoderDropout(0.5, 0.5, 0.5, 0.5),
    )
    model = Classifier(
        words, character_features, encoder, num_labels=num_labels, pooling=pooling, feed_forward=feed_forward
    )
    with torch.no_grad():
        model.output.weight.mul_(3.0)  # answers that differ, as those of a trained model
    return model.eval()


def open_classifier_graph(folder: Path, model: Classifier, *, cell: str, table_dtype: str = "float32") -> Graph:
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    options = ClassifierOptions(cell, model.pooling, table_dtype)
    return open_graph(folder, *build_classifier(weights, options), *classifier_signature(len(weights["output.bias"])))


@torch.no_grad()
def torch_probs(model: Classifier, feeds: dict[str, np.ndarray]) -> np.ndarray:
    words, chars, lengths = (torch.from_numpy(feeds[name]).long() for name in ("words", "chars", "lengths"))
    return torch.softmax(model(words, chars, lengths), dim=1).numpy()
