"""The whole graph against the torch model it was made from."""

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqserve.training.export.builder import IR_VERSION, OPSET
from seqserve.training.export.cells.table import CELLS
from seqserve.training.taggers.graph import TaggerOptions, build_tagger
from tests.training.export.sessions import open_tagger, random_batch, row_alone
from tests.training.export.taggers import NUM_CHARACTERS, NUM_WORDS, random_tagger, torch_answers, weights_of

SHAPES = [(1, 1, 1), (1, 1, 6), (1, 9, 1), (5, 1, 3), (7, 12, 8), (3, 2, 17)]


def batch(seed, shape):
    return random_batch(np.random.default_rng(seed), shape, num_words=NUM_WORDS, num_characters=NUM_CHARACTERS)


def assert_equal_to_torch(graph, tagger, feeds, *, tolerance):
    tags, marginals = torch_answers(tagger, feeds)
    outputs = graph.run(feeds)
    real = np.arange(tags.shape[1]) < feeds["lengths"][:, None]
    np.testing.assert_allclose(outputs["tag_probs"][real], marginals[real], atol=tolerance)
    np.testing.assert_array_equal(outputs["tags"][real], tags[real])
    for name, output in outputs.items():
        assert not output[~real].any(), f"{name} is not zero beyond a row's end"


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
        {"widths": (), "characters": "lstm"},
        {"trained_dim": 0},
    ],
    ids=str,
)
def test_answers_equal_torch(tmp_path, options):
    tagger, tags = random_tagger(**options)
    scheme = options.get("scheme", "BIOES")
    graph = open_tagger(tmp_path, weights_of(tagger), TaggerOptions(tags, scheme, table_dtype="float32"))
    for seed, shape in enumerate(SHAPES):
        assert_equal_to_torch(graph, tagger, batch(seed, shape), tolerance=5e-5)


@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_in_either_direction_equals_torch(tmp_path, cell, bidirectional, num_layers):
    tagger, tags = random_tagger(
        cell=cell, bidirectional=bidirectional, num_layers=num_layers, feed_forward=(7,) * (num_layers - 1)
    )
    graph = open_tagger(tmp_path, weights_of(tagger), TaggerOptions(tags, "BIOES", cell, table_dtype="float32"))
    for seed, shape in enumerate(SHAPES):
        assert_equal_to_torch(graph, tagger, batch(seed, shape), tolerance=5e-5)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cell=st.sampled_from(sorted(CELLS)),
    bidirectional=st.booleans(),
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 40)),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 20), st.integers(1, 6)),
    seed=st.integers(0, 2**32 - 1),
)
def test_models_of_any_size_equal_torch_and_their_rows_stand_alone(
    tmp_path_factory, cell, bidirectional, sizes, shape, seed
):
    num_layers, hidden_size = sizes
    tagger, tags = random_tagger(
        seed, cell=cell, bidirectional=bidirectional, num_layers=num_layers, hidden_size=hidden_size
    )
    options = TaggerOptions(tags, "BIOES", cell, table_dtype="float32")
    graph = open_tagger(tmp_path_factory.mktemp("model"), weights_of(tagger), options)
    feeds = batch(seed, shape)
    together = graph.run(feeds)
    # Marginals only: among equally good paths, as a relu that is 0 everywhere gives, either side may choose another.
    marginals = torch_answers(tagger, feeds)[1]
    real = np.arange(shape[1]) < feeds["lengths"][:, None]
    np.testing.assert_allclose(together["tag_probs"][real], marginals[real], atol=5e-5)
    for row, length in enumerate(feeds["lengths"]):
        for name, alone in graph.run(row_alone(feeds, row)).items():
            assert alone[0].tobytes() == together[name][row, :length].tobytes(), f"{name} of row {row}"


@pytest.mark.parametrize("longest", ["first", "last"])
def test_the_longest_row_may_be_anywhere(tmp_path, longest):
    tagger, tags = random_tagger()
    graph = open_tagger(tmp_path, weights_of(tagger), TaggerOptions(tags, "BIOES", table_dtype="float32"))
    feeds = batch(4, (6, 11, 5))
    order = np.argsort(feeds["lengths"])[:: 1 if longest == "last" else -1]
    feeds = {name: np.ascontiguousarray(array[order]) for name, array in feeds.items()}
    assert_equal_to_torch(graph, tagger, feeds, tolerance=5e-5)


@pytest.mark.parametrize("widths", [(5, 6), (12, 5), (5, 12), (12, 9)])
def test_a_folded_projection_changes_nothing(tmp_path, widths):
    tagger, tags = random_tagger(widths=widths, projection_dim=8)
    options = TaggerOptions(tags, "BIOES", table_dtype="float32")
    graph = open_tagger(tmp_path, weights_of(tagger), options)
    assert_equal_to_torch(graph, tagger, batch(1, (4, 7, 6)), tolerance=5e-5)


def test_tables_wider_than_the_projection_are_folded():
    tagger, tags = random_tagger(widths=(12, 5), projection_dim=8)
    _, tensors = build_tagger(weights_of(tagger), TaggerOptions(tags, "BIOES"))
    assert tensors["words.tables.0.vectors"].shape[1] == 8
    assert tensors["words.tables.1.vectors"].shape[1] == 5


def test_small_tables_are_close(tmp_path):
    tagger, tags = random_tagger(num_layers=1)
    graph = open_tagger(tmp_path, weights_of(tagger), TaggerOptions(tags, "BIOES", table_dtype="float16"))
    feeds = batch(1, (8, 9, 6))
    _, marginals = torch_answers(tagger, feeds)
    real = np.arange(9) < feeds["lengths"][:, None]
    difference = np.abs(graph.run(feeds)["tag_probs"] - marginals)[real].max()
    assert 0 < difference < 5e-3


def test_tables_are_converted_after_the_look_up():
    """A conversion of the whole table would be folded when the graph is loaded, and the mapping lost."""
    tagger, tags = random_tagger()
    model, tensors = build_tagger(weights_of(tagger), TaggerOptions(tags, "BIOES"))
    small = {name for name, array in tensors.items() if array.dtype == np.float16}
    assert small == {"words.tables.0.vectors", "words.tables.1.vectors", "words.trained.vectors"}
    readers = {node.op_type for node in model.graph.node if small & set(node.input)}
    assert readers == {"Gather"}


def test_rows_that_no_word_uses_are_left_out():
    tagger, tags = random_tagger()
    weights = weights_of(tagger)
    _, tensors = build_tagger(weights, TaggerOptions(tags, "BIOES"))
    used = len(np.unique(weights["words.tables.0.rows"]))
    assert len(tensors["words.tables.0.vectors"]) == used < len(weights["words.tables.0.vectors"])


def test_the_graph_is_of_the_version_that_gpus_run():
    tagger, tags = random_tagger()
    model, _ = build_tagger(weights_of(tagger), TaggerOptions(tags, "BIOES"))
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    assert model.ir_version == IR_VERSION == onnx.helper.find_min_ir_version_for(list(model.opset_import))


def test_span_probs_are_the_marginal_where_a_token_stands_alone(tmp_path):
    """A sentence of one token: the span ends there for certain, so the posterior of S-PER is its marginal."""
    tagger, tags = random_tagger()
    graph = open_tagger(tmp_path, weights_of(tagger), TaggerOptions(tags, "BIOES"))
    outputs = graph.run(row_alone(batch(0, (1, 1, 4)), 0))
    assert outputs["span_probs"][0, 0] == outputs["tag_probs"][0, 0, outputs["tags"][0, 0]]


def test_weights_of_other_tags_are_refused():
    tagger, _ = random_tagger()
    with pytest.raises(ValueError, match="for 13 tags, not 2"):
        build_tagger(weights_of(tagger), TaggerOptions(("O", "B-PER"), "BIO"))


def test_an_unknown_table_type_is_refused():
    tagger, tags = random_tagger()
    with pytest.raises(ValueError, match="float64"):
        build_tagger(weights_of(tagger), TaggerOptions(tags, "BIOES", table_dtype="float64"))


def test_values_beyond_float16_are_refused():
    tagger, tags = random_tagger()
    weights = weights_of(tagger)
    weights["words.trained.weight"] = weights["words.trained.weight"] + 1e6
    with pytest.raises(ValueError, match=r"words\.trained\.vectors .*float32"):
        build_tagger(weights, TaggerOptions(tags, "BIOES"))
