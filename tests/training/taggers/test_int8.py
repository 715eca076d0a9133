"""The LSTMs of a tagger's graph in int8, against the float graph that they were made from."""

import numpy as np
import onnx
import pytest

from seqserve.tagger.load import tagger_signature
from seqserve.training.export.int8 import quantize_lstms
from seqserve.training.taggers.graph import TaggerOptions, build_tagger
from tests.training.export.sessions import open_graph, random_batch
from tests.training.export.taggers import NUM_CHARACTERS, NUM_WORDS, random_tagger, weights_of

KINDS = [
    {},
    {"num_layers": 1, "bidirectional": False},
    {"characters": "lstm", "num_layers": 3},
    {"characters": "none", "feed_forward": (7,)},
]
SHAPE = (6, 9, 5)


def both(folder, **options):
    """The float graph and the int8 one, opened, and what is stored of the second."""
    tagger, tags = random_tagger(**options)
    signature = tagger_signature(len(tags))
    (folder / "float").mkdir(parents=True)
    (folder / "int8").mkdir()
    first = open_graph(folder / "float", *build_tagger(weights_of(tagger), TaggerOptions(tags, "BIOES")), *signature)
    model, tensors = quantize_lstms(folder / "float" / "test.onnx")
    return first, open_graph(folder / "int8", model, tensors, *signature), model, tensors


def batch(seed):
    """Rows of every length, so that there is padding."""
    feeds = random_batch(np.random.default_rng(seed), SHAPE, num_words=NUM_WORDS, num_characters=NUM_CHARACTERS)
    assert len(set(feeds["lengths"].tolist())) > 1
    return feeds


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_answers_are_nearly_those_of_the_float_graph(tmp_path, options):
    first, second, _, _ = both(tmp_path, **options)
    for seed in range(5):
        feeds = batch(seed)
        difference = np.abs(first.run(feeds)["tag_probs"] - second.run(feeds)["tag_probs"])
        assert 0 < difference.max() < 0.02
        assert difference.mean() < 0.001


def test_padding_does_not_spoil_the_scales(tmp_path):
    """A row of one token beside a long one is mostly padding, whose character features are at -1e4."""
    first, second, _, _ = both(tmp_path)
    feeds = batch(0)
    longest = int(feeds["lengths"].argmax())
    for row in set(range(SHAPE[0])) - {longest}:
        feeds["lengths"][row] = 1
        feeds["words"][row, 1:] = 0
        feeds["chars"][row, 1:] = 0
    np.testing.assert_allclose(first.run(feeds)["tag_probs"], second.run(feeds)["tag_probs"], atol=0.02)


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_every_lstm_is_in_int8_and_nothing_else(tmp_path, options):
    _, _, model, tensors = both(tmp_path, **options)
    kinds = [node.op_type for node in model.graph.node]
    before = [node.op_type for node in onnx.load(tmp_path / "float" / "test.onnx").graph.node]
    assert "LSTM" not in kinds
    assert kinds.count("DynamicQuantizeLSTM") == before.count("LSTM")
    assert kinds.count("MatMul") == before.count("MatMul")
    for node in model.graph.node:
        if node.op_type == "DynamicQuantizeLSTM":
            assert {tensors[name].dtype for name in node.input[1:3]} == {np.dtype(np.int8)}


def test_weights_have_seven_bits_and_a_scale_for_each_row(tmp_path):
    _, _, _, tensors = both(tmp_path)
    steps = {name: array for name, array in tensors.items() if array.dtype == np.int8 and array.ndim == 3}
    assert len(steps) == 8  # of inputs and of states, in two layers, forward and backward
    for name, array in steps.items():
        assert np.abs(array.astype(int)).max() == 64
        assert tensors[name.replace("_quantized", "_scale")].shape == (1, 4 * 9)


def test_the_other_weights_are_stored_as_they_were(tmp_path):
    _, _, _, tensors = both(tmp_path)
    stored = onnx.load(tmp_path / "float" / "test.onnx", load_external_data=False).graph.initializer
    names = {tensor.name for tensor in stored if tensor.data_location == onnx.TensorProto.EXTERNAL}
    replaced = {f"encoder.{layer}.{way}.{of}" for layer in (0, 1) for way in ("forward", "backward") for of in "WR"}
    assert names - set(tensors) == replaced
    assert tensors["words.tables.0.vectors"].dtype == np.float16


def test_a_graph_without_lstm_is_refused(tmp_path):
    tagger, tags = random_tagger(cell="gru")
    options = TaggerOptions(tags, "BIOES", "gru")
    open_graph(tmp_path, *build_tagger(weights_of(tagger), options), *tagger_signature(len(tags)))
    with pytest.raises(ValueError, match="no LSTM"):
        quantize_lstms(tmp_path / "test.onnx")
