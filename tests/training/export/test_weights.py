"""The weights file: one .safetensors, read by its own library and by the runtime."""

import numpy as np
import onnx
import pytest
import safetensors.numpy

from seqserve.graph import Graph
from seqserve.training.export.weights import num_parameters, places, save_graphs
from seqserve.training.taggers.graph import TaggerOptions, build_tagger
from tests.training.export.sessions import open_tagger, random_batch
from tests.training.export.taggers import NUM_CHARACTERS, NUM_WORDS, random_tagger, weights_of


@pytest.fixture
def saved(tmp_path):
    tagger, tags = random_tagger()
    model, tensors = build_tagger(weights_of(tagger), TaggerOptions(tags, "BIOES"))
    save_graphs(tmp_path, weights_file="weights.safetensors", graphs={"tagger.onnx": (model, tensors)})
    return tmp_path, tensors


def test_the_file_holds_every_tensor_once(saved):
    folder, tensors = saved
    read = safetensors.numpy.load_file(folder / "weights.safetensors")
    assert read.keys() == tensors.keys()
    for name, array in tensors.items():
        np.testing.assert_array_equal(read[name], array)


def test_the_graph_points_to_the_same_bytes(saved):
    folder, tensors = saved
    model = onnx.load(folder / "tagger.onnx", load_external_data=True)
    linked = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for name, array in tensors.items():
        np.testing.assert_array_equal(linked[name], array)


def test_the_graph_holds_no_weights(saved):
    folder, _ = saved
    model = onnx.load(folder / "tagger.onnx", load_external_data=False)
    inline = [t for t in model.graph.initializer if t.data_location != onnx.TensorProto.EXTERNAL]
    assert max(np.prod(tensor.dims, dtype=int) for tensor in inline) <= 8
    assert (folder / "tagger.onnx").stat().st_size < 30_000


def test_places_are_where_the_bytes_are():
    arrays = {"b": np.arange(5, dtype=np.int32), "a": np.arange(3, dtype=np.float16)}
    data = safetensors.numpy.save(arrays)
    for name, (offset, length) in places(data).items():
        assert data[offset : offset + length] == arrays[name].tobytes()
    assert places(data).keys() == arrays.keys()


def test_the_runtime_reads_the_file_beside_the_graph(tmp_path):
    tagger, tags = random_tagger()
    options = TaggerOptions(tags, "BIOES")
    weights = weights_of(tagger)
    open_tagger(tmp_path / "first", weights, options)
    changed = {**weights, "emission.bias": weights["emission.bias"] + np.arange(len(tags), dtype=np.float32)}
    graph = open_tagger(tmp_path / "second", changed, options)
    files = [tmp_path / name / "test.onnx" for name in ("first", "second")]
    assert files[0].read_bytes() == files[1].read_bytes()
    feeds = random_batch(np.random.default_rng(0), (2, 5, 4), num_words=NUM_WORDS, num_characters=NUM_CHARACTERS)
    expected = graph.run(feeds)["tag_probs"]
    weights_file = "weights.safetensors"
    (tmp_path / "first" / weights_file).write_bytes((tmp_path / "second" / weights_file).read_bytes())
    np.testing.assert_array_equal(Graph.open(files[0], graph.spec).run(feeds)["tag_probs"], expected)


def test_the_same_weights_give_the_same_files(tmp_path):
    tagger, tags = random_tagger()
    for name in ("first", "second"):
        open_tagger(tmp_path / name, weights_of(tagger), TaggerOptions(tags, "BIOES"))
    for file in ("test.onnx", "weights.safetensors"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


def test_only_floating_point_numbers_are_parameters():
    assert num_parameters({"rows": np.zeros(7, np.int32), "vectors": np.zeros((2, 3), np.float32)}) == 6
