"""How much of a loss reaches earlier steps: the norm of dL<T>/da<t> against T - t.

In a tanh network the gradient is a product of T - t Jacobians and vanishes or explodes with them (Bengio et al. 1994,
"Learning long-term dependencies with gradient descent is difficult"; Pascanu et al. 2013, "On the difficulty of
training recurrent neural networks").
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from seqserve.training.layers.recurrent import Parts, run_cell


def state_gradients(cell: nn.Module, inputs: Tensor, loss_of: Callable[[Tensor], Tensor]) -> Parts:
    """Return dL by every a<t> and, for both LSTMs, by every c<t>, each (B,T,H); inputs (B,T,I), from a zero state.

    loss_of: every a<t> (B,T,H) -> L, a scalar. The layer is run step by step. After step t, a<t> and c<t> count as
    independent of one another: what reaches c<t> through the output gate of step t belongs to a<t>.
    """
    states: list[Parts] = []
    for step in inputs.split(1, dim=1):
        _, state = run_cell(cell, step, states[-1] if states else None, recurrent_dropout=0.0)
        states.append(tuple(part.clone() for part in state))  # nodes of their own, also where the cell returns a view
    loss = loss_of(torch.cat([state[0] for state in states]).transpose(0, 1))
    wanted = [part for state in states for part in state]
    gradients = torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True)
    num_parts = len(states[0])
    return tuple(torch.cat(gradients[part::num_parts]).transpose(0, 1) for part in range(num_parts))


def norms_by_distance(gradients: Sequence[Tensor], last: Tensor, longest: int) -> Tensor:
    """Return the norm over all parts of the state (B,longest+1), column j at t = T - j; `last` (B,) is T - 1, from 0.

    gradients: parts (B,T,H). Every row must have more than `longest` steps up to and with T.
    """
    norms = torch.cat(list(gradients), dim=2).norm(dim=2)
    places = last[:, None] - torch.arange(longest + 1)
    assert places.min() >= 0, "a row is shorter than the longest T - t"
    return norms.gather(1, places)
