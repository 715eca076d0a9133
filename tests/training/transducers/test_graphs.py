"""Both graphs of an encoder-decoder give what torch's module gives, and each row what it gives alone."""

import numpy as np
import pytest
import torch

from seqserve.vocabulary.tokens import START_ID, UNKNOWN_ID
from tests.training.export.transducers import (
    MODELS,
    NUM_TARGET,
    open_decode,
    open_encode,
    random_sources,
    random_transducer,
)

LENGTHS = {"one token": [1], "longest first": [7, 3, 1, 5], "longest last": [2, 4, 1, 9], "equal": [4, 4]}
NUM_STEPS = 5


@pytest.fixture(scope="module", params=MODELS)
def graphs(request, tmp_path_factory):
    model, trained = random_transducer(**MODELS[request.param])
    folder = tmp_path_factory.mktemp("graphs")
    return model, trained, open_encode(folder / "encode", trained), open_decode(folder / "decode", trained)


def feeds_of(previous, encoded, lengths, *, num_top=NUM_TARGET):
    feeds = {
        "previous_ids": np.array(previous, np.int32),
        "state": encoded["state"],
        "num_top": np.array([num_top], np.int64),
    }
    return feeds | ({"memory": encoded["memory"], "lengths": lengths} if "memory" in encoded else {})


def log_probs_of(outputs):
    """All log-probabilities by id, (B,V); -inf for <UNK>."""
    found = np.full((len(outputs["top_ids"]), NUM_TARGET), -np.inf)
    np.put_along_axis(found, outputs["top_ids"].astype(np.int64), outputs["top_log_probs"].astype(np.float64), axis=1)
    return found


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_graphs_are_torchs_module(graphs, lengths):
    model, _, encode, decode = graphs
    generator = np.random.default_rng(len(lengths))
    source, sizes = random_sources(generator, lengths)
    targets = generator.integers(0, NUM_TARGET, (len(lengths), NUM_STEPS))
    previous = np.concatenate([np.full((len(lengths), 1), START_ID), targets[:, :-1]], axis=1)
    with torch.no_grad():
        memory, state = model.encode(torch.from_numpy(source).long(), torch.from_numpy(sizes).long())
        readout, _ = model.decode(torch.from_numpy(previous), state, memory, torch.from_numpy(sizes).long())
        logits = torch.nn.functional.linear(readout, model.softmax.weight, model.softmax.bias)
        expected = torch.log_softmax(logits, dim=2).double().numpy()
    encoded = encode.run({"source_ids": source, "lengths": sizes})
    flat = torch.cat([part[0] for parts in state for part in parts], dim=1).numpy()
    np.testing.assert_allclose(encoded["state"], flat, atol=1e-5)
    if "memory" in encoded:
        for row, size in enumerate(sizes):
            np.testing.assert_allclose(encoded["memory"][row, :size], memory[row, :size].numpy(), atol=1e-5)
            assert not encoded["memory"][row, size:].any()
    for step in range(NUM_STEPS):
        outputs = decode.run(feeds_of(previous[:, step], encoded, sizes))
        encoded = encoded | {"state": outputs["next_state"]}
        expected[:, step, UNKNOWN_ID] = -np.inf
        np.testing.assert_allclose(log_probs_of(outputs), expected[:, step], atol=1e-5)


def test_alternatives_fall_and_leave_out_unknown(graphs):
    _, _, encode, decode = graphs
    source, sizes = random_sources(np.random.default_rng(3), [5, 2, 8])
    encoded = encode.run({"source_ids": source, "lengths": sizes})
    every = decode.run(feeds_of([START_ID, 4, 0], encoded, sizes))
    assert np.sort(every["top_ids"]).tolist() == [[n for n in range(NUM_TARGET) if n != UNKNOWN_ID]] * 3
    assert (np.diff(every["top_log_probs"]) <= 0).all()
    few = decode.run(feeds_of([START_ID, 4, 0], encoded, sizes, num_top=3))
    assert few["top_ids"].tolist() == every["top_ids"][:, :3].tolist()
    assert few["top_log_probs"].tobytes() == np.ascontiguousarray(every["top_log_probs"][:, :3]).tobytes()


@pytest.mark.parametrize("seed", range(3))
def test_a_row_alone_is_the_row_in_a_batch(graphs, seed):
    _, trained, encode, decode = graphs
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, 18, int(generator.integers(2, 19))).tolist()
    source, sizes = random_sources(generator, lengths)
    together = encode.run({"source_ids": source, "lengths": sizes})
    previous = generator.integers(START_ID, NUM_TARGET, len(lengths))
    stepped = decode.run(feeds_of(previous, together, sizes))
    for row, size in enumerate(lengths):
        alone = encode.run(
            {"source_ids": np.ascontiguousarray(source[row : row + 1, :size]), "lengths": sizes[row, None]}
        )
        assert alone["state"][0].tobytes() == together["state"][row].tobytes()
        if trained.memory_size:
            assert alone["memory"][0].tobytes() == together["memory"][row, :size].tobytes()
        for name, output in decode.run(feeds_of(previous[row, None], alone, sizes[row, None])).items():
            assert output[0].tobytes() == stepped[name][row].tobytes(), f"{name} of row {row}"


def test_half_precision_is_what_rounded_weights_give(tmp_path):
    _, trained = random_transducer(tied=True)
    rounded = {
        name: array.astype(np.float16).astype(np.float32) if array.ndim == 2 else array
        for name, array in trained.weights.items()
    }
    exact = type(trained)(**{**vars(trained), "weights": rounded})
    source, sizes = random_sources(np.random.default_rng(1), [6, 3])
    found = []
    for name, each, dtype in (("half", trained, "float16"), ("full", exact, "float32")):
        encoded = open_encode(tmp_path / f"{name}-encode", each, table_dtype=dtype).run(
            {"source_ids": source, "lengths": sizes}
        )
        decode = open_decode(tmp_path / f"{name}-decode", each, table_dtype=dtype)
        found.append(decode.run(feeds_of([START_ID, 3], encoded, sizes)))
    for name, output in found[0].items():
        assert output.tobytes() == found[1][name].tobytes(), name


def test_weights_that_do_not_fit_are_named():
    _, trained = random_transducer()
    weights = {**trained.weights, "readout.weight": trained.weights["readout.weight"][:, :-1]}
    with pytest.raises(ValueError, match=r"readout\.weight has the shape \(9, 20\), expected \(9, 21\)"):
        type(trained)(**{**vars(trained), "weights": weights}).check()
