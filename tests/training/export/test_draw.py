"""The draw of the step graph against a NumPy oracle that sorts, and against exact distributions."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from seqserve.entries import Tensor
from seqserve.training.export.builder import GraphBuilder, value_infos
from seqserve.training.export.cuts import Cuts
from seqserve.training.export.draw import DrawInputs, add_draw
from tests.toy_language_model import drawn_from, step_batch
from tests.training.export.language_models import chi_square_limit
from tests.training.export.sessions import open_graph

SIZES = (3, 100, 700, 3001)  # one level of sums, two levels, and no multiple of a block
PARAMETERS = ("uniforms", "temperatures", "repetition_penalties", "banned_ids", "repeated_ids")


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: f"{size} ids")
def draw_graph(request, tmp_path_factory):
    return open_draw(tmp_path_factory.mktemp("draw"), request.param), request.param


def open_draw(folder, num_ids):
    """scores (B,V) and the step graph's parameters -> ids (B,) and is_empty (B,) as int32."""
    graph = GraphBuilder()
    scores = graph.unique("scores")
    names = {name: graph.unique(name) for name in (*PARAMETERS, "top_ks", "top_ps", "min_ps")}
    cuts = Cuts(names.pop("top_ks"), names.pop("top_ps"), names.pop("min_ps"))
    drawn, is_empty = add_draw(graph, scores, DrawInputs(**names, cuts=cuts), num_ids=num_ids)
    graph.add("Identity", [drawn], "ids")
    graph.add("Cast", [is_empty], "empty", to=TensorProto.INT32)
    shapes = {"banned_ids": ["B", "M"], "repeated_ids": ["B", "R"]}
    kinds = {"top_ks": "int32", "banned_ids": "int32", "repeated_ids": "int32"}
    inputs = [Tensor(name="scores", dtype="float32", shape=["B", num_ids])]
    inputs += [
        Tensor(name=name, dtype=kinds.get(name, "float32"), shape=shapes.get(name, ["B"]))
        for name in (*PARAMETERS, "top_ks", "top_ps", "min_ps")
    ]
    outputs = [Tensor(name="ids", dtype="int64", shape=["B"]), Tensor(name="empty", dtype="int32", shape=["B"])]
    return open_graph(
        folder, graph.model("draw", value_infos(inputs), value_infos(outputs)), graph.tensors, inputs, outputs
    )


def feeds_of(scores, batch):
    feeds = {name: array for name, array in batch.feeds().items() if name not in ("previous_ids", "state")}
    return {"scores": scores.astype(np.float32), **feeds}


def run(graph, scores, **parameters):
    """Return the ids drawn, -1 where nothing is left."""
    size = len(scores)
    batch = step_batch([0] * size, np.zeros((size, 1)), **parameters)
    outputs = graph.run(feeds_of(scores, batch))
    return np.where(outputs["empty"] == 1, -1, outputs["ids"])


def may_be(drawn, scores, batch, row):
    """Whether the oracle, its border and its uniform moved by less than rounding, draws that id."""
    for shift in (0.0, -2e-6, 2e-6):
        moved = step_batch(
            [0],
            np.zeros((1, 1)),
            temperatures=batch.temperatures[row],
            top_ks=batch.top_ks[row],
            top_ps=min(1.0, float(batch.top_ps[row]) * (1 + shift)) if batch.top_ps[row] < 1 else 1.0,
            min_ps=min(1.0, float(batch.min_ps[row]) * (1 + shift)),
            repetition_penalties=batch.repetition_penalties[row],
            banned_ids=[batch.banned_ids[row][batch.banned_ids[row] >= 0].tolist()],
            repeated_ids=[batch.repeated_ids[row][batch.repeated_ids[row] >= 0].tolist()],
        )
        probs = drawn_from(scores[row].astype(np.float64), moved, 0)
        if drawn == -1:
            return not probs.any()
        mass = np.cumsum(probs)
        begin, end = mass[drawn] - probs[drawn], mass[drawn]
        uniform = float(batch.uniforms[row]) if batch.temperatures[row] > 0 else begin
        if probs[drawn] > 0 and begin - 2e-6 <= uniform <= end + 2e-6:
            return True
    return False


rows = st.fixed_dictionaries(
    {
        "uniform": st.floats(0, 1, exclude_max=True, width=32),
        "temperature": st.sampled_from([0.0, 0.3, 1.0, 1.7]),
        "top_k": st.sampled_from([0, 0, 1, 2, 50, 5000]),
        "top_p": st.sampled_from([1.0, 1.0, 0.05, 0.5, 0.9, 0.999]),
        "min_p": st.sampled_from([0.0, 0.0, 0.01, 0.3, 1.0]),
        "penalty": st.sampled_from([1.0, 1.3, 0.7]),
        "spread": st.sampled_from([0.1, 1.0, 4.0]),
        "num_banned": st.integers(0, 3),
        "num_repeated": st.integers(0, 5),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.lists(rows, min_size=1, max_size=6), seed=st.integers(0, 2**32 - 1), ties=st.booleans())
def test_what_is_drawn_is_what_the_oracle_draws(draw_graph, wanted, seed, ties):
    graph, size = draw_graph
    generator = np.random.default_rng(seed)
    scores = np.stack([generator.normal(0, row["spread"], size) for row in wanted])
    scores = (np.round(scores, 1) if ties else scores).astype(np.float32)

    def ids(name):
        return [generator.permutation(size)[: row[name]].tolist() for row in wanted]

    batch = step_batch(
        [0] * len(wanted),
        np.zeros((len(wanted), 1)),
        uniforms=[row["uniform"] for row in wanted],
        temperatures=[row["temperature"] for row in wanted],
        top_ks=[row["top_k"] for row in wanted],
        top_ps=[row["top_p"] for row in wanted],
        min_ps=[row["min_p"] for row in wanted],
        repetition_penalties=[row["penalty"] for row in wanted],
        banned_ids=ids("num_banned"),
        repeated_ids=ids("num_repeated"),
    )
    feeds = feeds_of(scores, batch)
    outputs = graph.run(feeds)
    drawn = np.where(outputs["empty"] == 1, -1, outputs["ids"])
    for row in range(len(wanted)):
        assert may_be(int(drawn[row]), scores, batch, row), (row, int(drawn[row]), wanted[row])
        alone = graph.run({name: np.ascontiguousarray(array[row : row + 1]) for name, array in feeds.items()})
        assert alone["ids"][0] == outputs["ids"][row], "a row must not depend on its neighbours"


CHI_SQUARE = {
    "plain": {},
    "warm": {"temperatures": 1.5},
    "cold": {"temperatures": 0.5},
    "top-k": {"top_ks": 6},
    "top-p": {"top_ps": 0.7},
    "min-p": {"min_ps": 0.1},
    "all of them": {"temperatures": 1.2, "top_ks": 15, "top_ps": 0.9, "min_ps": 0.02},
}


@pytest.mark.parametrize("parameters", CHI_SQUARE.values(), ids=CHI_SQUARE)
@pytest.mark.parametrize("size", [20, 600])
def test_frequencies_are_those_of_the_distribution(tmp_path, size, parameters):
    graph = open_draw(tmp_path, size)
    generator = np.random.default_rng(12)
    scores = generator.normal(0, 1.5, size)
    num_draws, batch_rows = 50_000, 500
    counts = np.zeros(size)
    for _ in range(num_draws // batch_rows):
        uniforms = generator.random(batch_rows, dtype=np.float32)
        drawn = run(
            graph, np.tile(scores, (batch_rows, 1)), uniforms=uniforms, banned_ids=[[1]] * batch_rows, **parameters
        )
        counts += np.bincount(drawn, minlength=size)
    one = step_batch([0], np.zeros((1, 1)), banned_ids=[[1]], **parameters)
    probs = drawn_from(scores.astype(np.float32).astype(np.float64), one, 0)
    assert not counts[probs == 0].any()
    expected = probs * num_draws
    often = expected >= 5
    observed = np.append(counts[often], counts[~often].sum())
    expected = np.append(expected[often], expected[~often].sum())
    if expected[-1] == 0:
        observed, expected = observed[:-1], expected[:-1]
    statistic = ((observed - expected) ** 2 / expected).sum()
    assert statistic < chi_square_limit(len(expected) - 1)


def test_greedy_is_the_best_and_the_first_of_equals(draw_graph):
    graph, size = draw_graph
    scores = np.random.default_rng(0).normal(0, 1, (4, size)).astype(np.float32)
    scores[1, :] = 0.25
    scores[2, [0, 2]] = np.nextafter(np.float32(9), np.float32(10)), 9
    scores[3, [1, 2]] = 9, np.nextafter(np.float32(9), np.float32(10))
    drawn = run(graph, scores, temperatures=0.0, uniforms=[0.999] * 4)
    assert drawn.tolist() == [int(scores[0].argmax()), 0, 0, 2]


@pytest.mark.parametrize("temperature", [1e-30, 1e-20, 1e-5])
def test_the_smallest_temperatures_are_greedy(draw_graph, temperature):
    graph, size = draw_graph
    scores = np.zeros((1, size), np.float32)
    scores[0, 1] = 0.5
    assert run(graph, scores, temperatures=temperature, uniforms=[0.99]).tolist() == [1]


def test_nothing_left_is_said_and_harms_no_other_row(draw_graph):
    graph, size = draw_graph
    scores = np.zeros((3, size), np.float32)
    all_ids = list(range(size))
    banned = [[0], all_ids, all_ids[1:]]
    assert run(graph, scores, banned_ids=banned, uniforms=[0.0] * 3).tolist() == [1, -1, 0]
    assert run(graph, scores, banned_ids=banned, temperatures=0.0).tolist() == [1, -1, 0]
    cut = run(graph, scores, banned_ids=banned, uniforms=[0.0] * 3, top_ks=2, top_ps=0.5, min_ps=0.1)
    assert cut.tolist() == [1, -1, 0]


def test_an_id_without_mass_is_never_drawn(draw_graph):
    graph, size = draw_graph
    scores = np.full((2, size), -200, np.float32)  # underflows beside the best
    scores[:, 1] = 0
    largest = np.nextafter(np.float32(1), np.float32(0))
    assert run(graph, scores, uniforms=[0.0, largest]).tolist() == [1, 1]


def test_what_is_banned_and_repeated_is_banned(draw_graph):
    graph, size = draw_graph
    scores = np.full((1, size), -1, np.float32)
    scores[0, 2] = 30
    drawn = run(graph, scores, banned_ids=[[2]], repeated_ids=[[2]], repetition_penalties=0.5, temperatures=0.0)
    assert drawn.tolist() == [0]


def test_ties_at_the_border_of_top_k_stay(tmp_path):
    graph = open_draw(tmp_path, 6)
    scores = np.tile(np.array([0, 5, 5, 5, 0, 0], np.float32), (50, 1))
    drawn = run(graph, scores, top_ks=2, uniforms=np.linspace(0, 0.999, 50))
    assert set(drawn.tolist()) == {1, 2, 3}
