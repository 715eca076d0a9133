"""The peephole LSTM's written-out gradients against those that autograd finds for its equations."""

import pytest
import torch
from torch.nn.functional import linear

from seqserve.training.layers.peephole_lstm import PeepholeLSTM

SIZE = 4


def random_cell(dtype=torch.float64):
    torch.manual_seed(1)
    cell = PeepholeLSTM(3, SIZE)
    for weight in cell.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    return cell.to(dtype)


def random_state(num_rows, dtype=torch.float64):
    return tuple(torch.randn(1, num_rows, SIZE, dtype=dtype).requires_grad_() for _ in range(2))


def equations(cell, inputs, first=None):
    """Every a<t> and the last a<t> and c<t>, one equation a line, for autograd to differentiate."""
    hidden, memory = (part[0] for part in first) if first else inputs.new_zeros(2, len(inputs), SIZE)
    outputs = []
    for token in inputs.unbind(1):
        from_input = linear(token, cell.weight_ih_l0, cell.bias_ih_l0) + cell.bias_hh_l0
        update, forget, candidate, output = (from_input + linear(hidden, cell.weight_hh_l0)).chunk(4, dim=1)
        of_update, of_forget, of_output = cell.weight_ch_l0.chunk(3)
        update_gate = torch.sigmoid(update + linear(memory, of_update))
        forget_gate = torch.sigmoid(forget + linear(memory, of_forget))
        output_gate = torch.sigmoid(output + linear(memory, of_output))
        memory = update_gate * torch.tanh(candidate) + forget_gate * memory
        hidden = output_gate * torch.tanh(memory)
        outputs.append(hidden)
    return torch.stack(outputs, dim=1), (hidden[None], memory[None])


LOSSES = {
    "every a<t>": lambda outputs, last: outputs.square().sum(),
    "last a<t>": lambda outputs, last: last[0].exp().sum(),
    "last c<t>": lambda outputs, last: last[1].sin().sum(),
    "one a<t>": lambda outputs, last: outputs[:, 1].exp().sum(),
    "all": lambda outputs, last: outputs.square().sum() + last[0].exp().sum() + last[1].sin().sum(),
}


@pytest.mark.parametrize("loss_of", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("is_given", [False, True], ids=["from zero", "from a given state"])
def test_gradients_are_autograds_of_the_equations(is_given, loss_of):
    cell, first = random_cell(), random_state(3) if is_given else None
    inputs = torch.randn(3, 5, 3, dtype=torch.float64, requires_grad=True)
    wanted = [inputs, *(first or ()), *cell.parameters()]
    expected = torch.autograd.grad(loss_of(*equations(cell, inputs, first)), wanted)
    found = torch.autograd.grad(loss_of(*cell(inputs, first)), wanted)
    for gradient, other in zip(found, expected, strict=True):
        torch.testing.assert_close(gradient, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", [None, *dict(PeepholeLSTM(3, SIZE).named_parameters())])
def test_a_tensor_alone_has_the_gradient_that_it_has_among_all(name):
    """None stands for the first state: every weight is frozen."""
    cell, first = random_cell(), random_state(2)
    inputs = torch.randn(2, 4, 3, dtype=torch.float64)
    learned = first if name is None else (cell.get_parameter(name),)
    expected = torch.autograd.grad(LOSSES["all"](*cell(inputs, first)), learned)
    for tensor in (*first, *cell.parameters()):
        tensor.requires_grad_(any(tensor is one for one in learned))
    LOSSES["all"](*cell(inputs, first)).backward()
    for tensor, gradient in zip(learned, expected, strict=True):
        assert torch.equal(tensor.grad, gradient)
    others = [one for one in (*first, *cell.parameters()) if not one.requires_grad]
    assert all(one.grad is None for one in others)


def test_a_window_after_a_window_is_one_long_window():
    cell = random_cell()
    inputs = torch.randn(2, 7, 3, dtype=torch.float64)
    expected = torch.autograd.grad(LOSSES["every a<t>"](*cell(inputs)), list(cell.parameters()))
    early, state = cell(inputs[:, :3])
    late, last = cell(inputs[:, 3:], state)
    found = torch.autograd.grad(LOSSES["every a<t>"](torch.cat([early, late], dim=1), last), list(cell.parameters()))
    for gradient, other in zip(found, expected, strict=True):
        torch.testing.assert_close(gradient, other, rtol=1e-10, atol=1e-12)


def test_a_kept_graph_gives_the_same_gradients_again():
    cell, inputs = random_cell(), torch.randn(2, 4, 3, dtype=torch.float64)
    loss = LOSSES["all"](*cell(inputs))
    first = torch.autograd.grad(loss, list(cell.parameters()), retain_graph=True)
    again = torch.autograd.grad(loss, list(cell.parameters()))
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))


def test_a_second_derivative_is_refused():
    cell, inputs = random_cell(), torch.randn(2, 4, 3, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="no second derivative"):
        torch.autograd.grad(cell(inputs)[0].sum(), cell.weight_hh_l0, create_graph=True)


def test_without_gradients_the_numbers_are_the_same():
    cell, inputs = random_cell(), torch.randn(2, 4, 3, dtype=torch.float64)
    with torch.no_grad():
        outputs, (hidden, memory) = cell(inputs)
    expected, (last_hidden, last_memory) = cell(inputs)
    assert not outputs.requires_grad
    assert torch.equal(outputs, expected)
    assert torch.equal(hidden, last_hidden)
    assert torch.equal(memory, last_memory)


@pytest.mark.parametrize("is_given", [False, True], ids=["from zero", "from a given state"])
def test_under_bf16_products_round_and_the_state_does_not(is_given):
    cell, first = random_cell(torch.float32), random_state(3, torch.float32) if is_given else None
    inputs = torch.randn(3, 6, 3, requires_grad=True)
    wanted = [inputs, *(first or ()), *cell.parameters()]
    exact = torch.autograd.grad(LOSSES["all"](*cell(inputs, first)), wanted)
    with torch.autocast("cpu", torch.bfloat16):
        outputs, last = cell(inputs, first)
    rounded = torch.autograd.grad(LOSSES["all"](outputs, last), wanted)
    assert {part.dtype for part in (outputs, *last, *rounded)} == {torch.float32}
    assert not torch.equal(outputs, cell(inputs, first)[0])  # autocast did act
    torch.testing.assert_close(outputs, cell(inputs, first)[0], rtol=0.03, atol=0.03)
    for gradient, other in zip(rounded, exact, strict=True):
        assert (gradient - other).norm() < 0.03 * other.norm()
