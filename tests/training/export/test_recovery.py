"""What comes back of an exported model computes what the model computed."""

import numpy as np
import pytest
import torch

from seqserve.tagger.tags import allowed_transitions
from seqserve.training.classifiers.graph import ClassifierOptions, build_classifier
from seqserve.training.classifiers.model import Classifier
from seqserve.training.export.cells.table import CELLS
from seqserve.training.export.recovery import RecoveryError, Stored, recover_crf, recover_reader
from seqserve.training.layers.characters import CharCNN, CharLSTM
from seqserve.training.layers.crf import CRF
from seqserve.training.layers.encoder import Encoder, EncoderDropout
from seqserve.training.layers.words import WordFeatures
from seqserve.training.taggers.graph import TaggerOptions, build_tagger
from seqserve.training.taggers.model import Tagger
from tests.training.export.classifiers import random_classifier, torch_probs
from tests.training.export.sessions import random_batch
from tests.training.export.taggers import NUM_CHARACTERS, NUM_WORDS, random_tagger, torch_answers, weights_of

HIDDEN = 9


def parts_of(weights, cell):
    """Layers of the sizes that the weights have, with these weights still to be loaded."""
    tables = [(weights[f"words.tables.{i}.rows"], weights[f"words.tables.{i}.vectors"]) for i in range(2)
              if f"words.tables.{i}.rows" in weights]  # fmt: skip
    rows = weights.get("words.trained_rows", np.zeros(NUM_WORDS, np.int32))
    trained, projection = weights.get("words.trained.weight"), weights.get("words.projection.weight")
    words = WordFeatures(
        tables,
        rows,
        projection_dim=0 if projection is None else len(projection),
        trained_dim=0 if trained is None else trained.shape[1],
        word_dropout=0.0,
        unknown_probability=0.0,
    )
    characters = None
    if "characters.convolution.weight" in weights:
        size, dim, width = weights["characters.convolution.weight"].shape
        characters = CharCNN(NUM_CHARACTERS, embedding_dim=dim, size=size, width=width)
    elif "characters.embedding.weight" in weights:
        size = weights["characters.forward_cell.weight_hh_l0"].shape[1]
        dim = weights["characters.embedding.weight"].shape[1]
        characters = CharLSTM(NUM_CHARACTERS, embedding_dim=dim, size=size)
    encoder = Encoder(
        cell,
        (words.size + (characters.size if characters is not None else 0), HIDDEN),
        num_layers=len({name.split(".")[2] for name in weights if name.startswith("encoder.")}),
        bidirectional="encoder.layers.0.backward_cell.weight_hh_l0" in weights,
        dropout=EncoderDropout(),
    )
    return words, characters, encoder


def loaded(model, weights):
    weights.setdefault("words.trained_rows", np.zeros(NUM_WORDS, np.int32))
    model.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in weights.items()})
    return model.eval()


def assert_recovered(tagger, tags, *, scheme="BIOES", cell="lstm", feed_forward=()):
    graph = build_tagger(weights_of(tagger), TaggerOptions(tags, scheme, cell, table_dtype="float32"))
    stored = Stored(graph[1])
    weights = {**recover_reader(stored, cell=cell, hidden_size=HIDDEN), **recover_crf(stored)}
    crf = CRF(allowed_transitions(tags, scheme))
    again = loaded(Tagger(*parts_of(weights, cell), crf=crf, feed_forward=feed_forward), weights)
    feeds = random_batch(np.random.default_rng(3), (5, 9, 6), num_words=NUM_WORDS, num_characters=NUM_CHARACTERS)
    for found, expected in zip(torch_answers(again, feeds), torch_answers(tagger, feeds), strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-4)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"characters": "cnn5", "num_layers": 1},
        {"characters": "cnn1"},
        {"characters": "lstm", "scheme": "BIO"},
        {"characters": "none", "num_layers": 3},
        {"projection_dim": 0},
        {"widths": (6,), "projection_dim": 10},
        {"widths": (12, 12)},
        {"widths": (), "characters": "lstm"},
        {"trained_dim": 0},
    ],
    ids=str,
)
def test_a_tagger_comes_back(options):
    tagger, tags = random_tagger(**options)
    assert_recovered(tagger, tags, scheme=options.get("scheme", "BIOES"))


@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_comes_back(cell, bidirectional):
    tagger, tags = random_tagger(cell=cell, bidirectional=bidirectional, feed_forward=(7,))
    assert_recovered(tagger, tags, cell=cell, feed_forward=(7,))


def test_the_sizes_of_characters_come_back():
    tagger, tags = random_tagger()
    tensors = build_tagger(weights_of(tagger), TaggerOptions(tags, "BIOES"))[1]
    weights = recover_reader(Stored(tensors), cell="lstm", hidden_size=HIDDEN)
    assert weights["characters.convolution.weight"].shape == (7, 5, 3)


def test_a_classifier_comes_back():
    model = random_classifier(feed_forward=(7,))
    arrays = {name: value.numpy() for name, value in model.state_dict().items()}
    stored = Stored(build_classifier(arrays, ClassifierOptions("lstm", "max", "float32"))[1])
    weights = recover_reader(stored, cell="lstm", hidden_size=HIDDEN)
    weights |= {name: stored[name] for name in ("output.weight", "output.bias")}
    again = Classifier(*parts_of(weights, "lstm"), num_labels=3, pooling="max", feed_forward=(7,))
    feeds = random_batch(np.random.default_rng(3), (5, 9, 6), num_words=NUM_WORDS, num_characters=NUM_CHARACTERS)
    np.testing.assert_allclose(torch_probs(loaded(again, weights), feeds), torch_probs(model, feeds), atol=2e-5)


def test_both_directions_in_one_tensor_are_parted():
    tagger, tags = random_tagger()
    tensors = dict(build_tagger(weights_of(tagger), TaggerOptions(tags, "BIOES"))[1])
    expected = recover_reader(Stored(tensors), cell="lstm", hidden_size=HIDDEN)
    for index in range(2):
        for part in "WRB":
            both = [tensors.pop(f"encoder.{index}.{direction}.{part}") for direction in ("forward", "backward")]
            tensors[f"encoder.{index}.{part}"] = np.concatenate(both)
    found = recover_reader(Stored(tensors), cell="lstm", hidden_size=HIDDEN)
    assert all(np.array_equal(found[name], array) for name, array in expected.items())


def test_what_is_missing_is_named():
    tagger, tags = random_tagger()
    tensors = dict(build_tagger(weights_of(tagger), TaggerOptions(tags, "BIOES"))[1])
    del tensors["encoder.0.forward.W"]
    with pytest.raises(RecoveryError, match=r"there is no encoder\.0\.forward\.W in it; int8 weights are not trained"):
        recover_reader(Stored(tensors), cell="lstm", hidden_size=HIDDEN)
