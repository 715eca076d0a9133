"""All steps of a peephole LSTM as one operation, its back-propagation through time written out.

Autograd over the loop multiplies for every step's share of a weight's gradient. Here all that does not depend on
later steps is computed for all steps at once, and a weight's gradient is one product over them.
"""

from typing import Any

import torch
from torch import Tensor

_by_sigmoid = torch.ops.aten.sigmoid_backward.grad_input  # of g, y: g * y * (1 - y)
_by_tanh = torch.ops.aten.tanh_backward.grad_input  # of g, y: g * (1 - y * y)


class PeepholeScan(torch.autograd.Function):
    """The loop of `PeepholeLSTM` over time; create_graph raises RuntimeError.

    Products run in the type of inputs, bias and weights; the state keeps its own, so that under bf16 it is float32.
    """

    @staticmethod
    def forward(ctx: Any, *tensors: Tensor) -> tuple[Tensor, Tensor]:
        """Map inputs (T,B,I), bias (4*H), weight_ih, weight_hh, weight_ch, a<0>, c<0> (B,H) -> all a<t>, last c<t>."""
        inputs, bias, weight_ih, weight_hh, weight_ch, hidden_state, cell_state = tensors
        (num_tokens, num_rows, _), size, product = inputs.shape, weight_hh.shape[1], inputs.dtype
        gates = torch.addmm(bias, inputs.flatten(0, 1), weight_ih.t()).view(num_tokens, num_rows, 4 * size)
        is_mixed = product != cell_state.dtype  # asked once: `to` costs even where nothing changes
        hidden_states = cell_state.new_empty(num_tokens + 1, num_rows, size)
        cell_states, squashed = torch.empty_like(hidden_states), torch.empty_like(hidden_states[1:])
        hidden_states[0], cell_states[0] = hidden_state, cell_state
        through_hidden, peep, output_peep = weight_hh.t(), weight_ch[: 2 * size].t(), weight_ch[2 * size :].t()
        # Views of every step are made at once: slicing inside the loop took 0.5 ms of 39.
        of_gates = (gates, gates[..., : 2 * size], *gates.split(size, dim=2))
        of_states = (hidden_states[:-1], hidden_states[1:], cell_states[:-1], cell_states[1:], squashed)
        for step in zip(*of_gates, *of_states, strict=True):
            summed, update_forget, update, forget, candidate, output, hidden, new_hidden, cell, new_cell, tanh = step
            seen = cell.to(product) if is_mixed else cell
            summed.addmm_(hidden.to(product) if is_mixed else hidden, through_hidden)  # (B,4*H)
            update_forget.addmm_(seen, peep).sigmoid_()  # Γu, Γf (B,2*H)
            output.addmm_(seen, output_peep).sigmoid_()  # Γo (B,H)
            candidate.tanh_()  # c~ (B,H)
            torch.mul(update, candidate, out=new_cell).addcmul_(forget, cell)
            torch.mul(output, torch.tanh(new_cell, out=tanh), out=new_hidden)
        ctx.save_for_backward(inputs, weight_ih, weight_hh, weight_ch, gates, hidden_states, cell_states, squashed)
        return hidden_states[1:], cell_states[-1].clone()

    @staticmethod
    def backward(ctx: Any, by_outputs: Tensor, by_last_cell: Tensor) -> tuple[Tensor, ...]:
        """Map gradient by every a<t> (T,B,H) and by the last c<t> (B,H) -> by each tensor of `forward`."""
        if torch.is_grad_enabled():  # under create_graph, where these gradients would count as constants
            raise RuntimeError("the peephole LSTM has no second derivative: differentiate it without create_graph")
        inputs, weight_ih, weight_hh, weight_ch, gates, hidden_states, cell_states, squashed = ctx.saved_tensors
        size = weight_hh.shape[1]
        by_gates, cell_by_output = _local_derivatives(gates, cell_states[:-1], squashed)
        by_cell = by_last_cell.clone()
        by_hidden = torch.empty_like(by_cell)
        from_later = torch.zeros_like(by_cell, dtype=gates.dtype)  # what reaches a<t> through step t+1
        peep, output_peep = weight_ch.split([2 * size, size])
        by_three = by_gates.unflatten(2, (4, size))[:, :, :3]
        of_gates = (by_gates, by_gates[..., : 2 * size], by_three, by_gates[..., 3 * size :])
        forget = gates[..., size : 2 * size]
        add_product = Tensor.addmm_ if gates.dtype == by_cell.dtype else _add_rounded
        steps = list(zip(by_outputs, cell_by_output, forget, *of_gates, strict=True))
        for number, step in reversed(list(enumerate(steps))):
            by_output, derivative, forget_gate, summed, update_forget, three, output = step
            torch.add(by_output, from_later, out=by_hidden)
            by_cell.addcmul_(by_hidden, derivative)
            output.mul_(by_hidden)
            three.mul_(by_cell[:, None])
            if not number and not any(ctx.needs_input_grad[-2:]):
                break  # the gradients by a<0> and c<0> are not needed
            by_cell.mul_(forget_gate)
            add_product(by_cell, update_forget, peep)
            add_product(by_cell, output, output_peep)
            torch.mm(summed, weight_hh, out=from_later)
        flat, seen = by_gates.flatten(0, 1), cell_states[:-1].flatten(0, 1).to(gates.dtype)
        hidden = hidden_states[:-1].flatten(0, 1).to(gates.dtype)
        by_weight_ch = torch.cat([flat[:, : 2 * size].t() @ seen, flat[:, 3 * size :].t() @ seen])
        by_weights = (flat.t() @ inputs.flatten(0, 1), flat.t() @ hidden, by_weight_ch)
        return (flat @ weight_ih).view_as(inputs), flat.sum(0), *by_weights, from_later.to(by_cell.dtype), by_cell


def _local_derivatives(gates: Tensor, cells: Tensor, squashed: Tensor) -> tuple[Tensor, Tensor]:
    """Derive c<t> by the sums of Γu, Γf and c~ and a<t> by that of Γo (T,B,4*H), and a<t> by c<t> (T,B,H)."""
    size = cells.shape[2]
    update, forget, candidate, output = gates.split(size, dim=2)
    by_gates, by_cell = torch.empty_like(gates), torch.empty_like(cells)
    by_update, by_forget, by_candidate, by_output = by_gates.split(size, dim=2)
    _by_sigmoid(candidate, update, grad_input=by_update)
    _by_sigmoid(cells, forget, grad_input=by_forget)
    _by_tanh(update, candidate, grad_input=by_candidate)
    _by_sigmoid(squashed, output, grad_input=by_output)
    _by_tanh(output, squashed, grad_input=by_cell)
    return by_gates, by_cell


def _add_rounded(total: Tensor, left: Tensor, right: Tensor) -> None:
    """Add left @ right, of a type with fewer digits, to total."""
    total.add_(left @ right)
