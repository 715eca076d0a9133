"""The cells against the source notes' equations, and their gradients against finite differences."""

from functools import partial

import numpy as np
import pytest
import torch

from seqserve.training.export.cells.table import CELLS
from seqserve.training.layers.cells import build_cells
from tests.training.export.language_models import numpy_cell
from tests.training.export.sessions import open_cell_step

# The source notes' numeric reference of one vanilla step: the last unit's a<t> and P of the second class, ten rows.
NOTES_HIDDEN = (
    "0.59584544 0.18141802 0.61311866 0.99808218 0.85016201 0.99980978 -0.18887155 0.99815551 0.6531151 0.82872037"
)
NOTES_PROBS = (
    "0.9888161 0.01682021 0.21140899 0.36817467 0.98988387 0.88945212 0.36920224 0.9966312 0.9982559 0.17746526"
)

OWN = ["gru-simplified", "gru", "lstm-peephole"]


def random_cell(name, input_size=3, hidden_size=4, *, seed=1):
    torch.manual_seed(seed)
    cell = build_cells(name, [(input_size, hidden_size)])[0].double()
    with torch.no_grad():
        for weight in cell.parameters():
            weight.normal_(0, 0.5)
    return cell


def state_of(name, num_rows, hidden_size=4):
    parts = tuple(torch.randn(1, num_rows, hidden_size, dtype=torch.float64) for _ in range(CELLS[name].num_parts))
    return parts if len(parts) > 1 else parts[0]


@pytest.mark.parametrize("num_tokens", [1, 6])
@pytest.mark.parametrize("is_given", [False, True], ids=["from zero", "from a given state"])
@pytest.mark.parametrize("name", CELLS)
def test_a_cell_is_the_notes_equation(name, is_given, num_tokens):
    cell, num_rows = random_cell(name), 3
    inputs = torch.randn(num_rows, num_tokens, 3, dtype=torch.float64)
    given = state_of(name, num_rows) if is_given else None
    outputs, last = cell(inputs, given)
    layer = {key: weight.detach().numpy() for key, weight in cell.named_parameters()}
    for row in range(num_rows):
        first = given if isinstance(given, tuple) else (given,)
        parts = [part[0, row].numpy() for part in first] if is_given else [np.zeros(4)] * CELLS[name].num_parts
        for place in range(num_tokens):
            parts = numpy_cell(name, layer, inputs[row, place].numpy(), parts)
            np.testing.assert_allclose(outputs[row, place].detach(), parts[0], atol=1e-12)
        ends = last if isinstance(last, tuple) else (last,)
        for end, part in zip(ends, parts, strict=True):
            np.testing.assert_allclose(end[0, row].detach(), part, atol=1e-12)


@pytest.mark.parametrize("name", OWN)
def test_gradients_are_those_of_finite_differences(name):
    cell = random_cell(name)
    names = [key for key, _ in cell.named_parameters()]
    inputs = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    given = state_of(name, 2)
    given = tuple(part.requires_grad_() for part in given) if isinstance(given, tuple) else (given.requires_grad_(),)

    def run(inputs, *tensors):
        parts, weights = tensors[: len(given)], tensors[len(given) :]
        state = parts if len(parts) > 1 else parts[0]
        outputs, last = torch.func.functional_call(cell, dict(zip(names, weights, strict=True)), (inputs, state))
        return outputs, *(last if isinstance(last, tuple) else (last,))

    assert torch.autograd.gradcheck(run, (inputs, *given, *cell.parameters()))


def test_every_cell_has_the_weights_that_its_graph_reads():
    for name, cell in CELLS.items():
        shapes = {key: tuple(weight.shape) for key, weight in build_cells(name, [(3, 4)])[0].named_parameters()}
        assert shapes == cell.shapes(3, 4), name


def test_peepholes_of_zero_leave_torchs_lstm():
    peephole, plain = random_cell("lstm-peephole"), random_cell("lstm")
    weights = {**dict(plain.named_parameters()), "weight_ch_l0": torch.zeros(12, 4, dtype=torch.float64)}
    inputs = torch.randn(2, 5, 3, dtype=torch.float64)
    torch.testing.assert_close(torch.func.functional_call(peephole, weights, (inputs,))[0], plain(inputs)[0])


def test_the_peephole_of_the_output_gate_sees_the_previous_cell_state():
    """From c<0> = 0 no peephole acts on the first token; the output gate of ONNX's peephole would see c<1>."""
    cell = random_cell("lstm-peephole")
    inputs = torch.randn(1, 1, 3, dtype=torch.float64)
    before = cell(inputs)[0]
    with torch.no_grad():
        cell.weight_ch_l0 += 1.0
    assert torch.equal(cell(inputs)[0], before)
    again = torch.ones(1, 1, 4, dtype=torch.float64)
    assert not torch.equal(cell(inputs, (again, again))[0], before)


def torch_step(layer, inputs, first):
    cell = build_cells("rnn", [(inputs.shape[1], first.shape[1])])[0].double()
    cell.load_state_dict({key: torch.from_numpy(array) for key, array in layer.items()})
    with torch.no_grad():
        return cell(torch.from_numpy(inputs)[:, None], torch.from_numpy(first)[None])[0][:, 0].numpy()


def graph_step(layer, inputs, first, *, folder):
    graph = open_cell_step(folder, "rnn", layer)
    return graph.run({"inputs": inputs.astype(np.float32), "part_0": first.astype(np.float32)})["new_0"]


@pytest.mark.parametrize("runtime", ["torch", "graph"])
def test_an_rnn_step_gives_the_numbers_of_the_notes(runtime, tmp_path):
    random = np.random.RandomState(1)
    inputs, first = random.randn(3, 10).T, random.randn(5, 10).T
    from_state, from_input, to_output = random.randn(5, 5), random.randn(5, 3), random.randn(2, 5)
    bias, output_bias = random.randn(5, 1), random.randn(2, 1)
    layer = {
        "weight_ih_l0": from_input,
        "weight_hh_l0": from_state,
        "bias_ih_l0": bias[:, 0],
        "bias_hh_l0": np.zeros(5),
    }
    run = torch_step if runtime == "torch" else partial(graph_step, folder=tmp_path)
    hidden = run(layer, np.ascontiguousarray(inputs), np.ascontiguousarray(first)).T  # (5,10)
    np.testing.assert_allclose(hidden[4], np.array(NOTES_HIDDEN.split(), float), atol=1e-6)
    logits = to_output @ hidden + output_bias
    probs = np.exp(logits) / np.exp(logits).sum(axis=0)
    np.testing.assert_allclose(probs[1], np.array(NOTES_PROBS.split(), float), atol=1e-6)
