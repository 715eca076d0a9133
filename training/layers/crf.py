"""Linear-chain conditional random field with exact log-likelihood (Lafferty et al. 2001)."""

import numpy as np
import torch
from torch import Tensor, nn

FORBIDDEN = -1e4  # exp() of it is an exact 0 in float32, and sums of thousands of them stay finite


class CRF(nn.Module):
    """score(y) = start[y<1>] + Σ emissions[t, y<t>] + Σ transitions[y<t-1>, y<t>] + end[y<Tx>].

    K tags; `allowed` are the boolean (K,), (K,K) [from,to], (K,) arrays of `seqserve.tagger.tags.allowed_transitions`:
    a sequence that the scheme forbids has probability 0, in training and decoding.
    """

    start_penalty: Tensor
    transition_penalty: Tensor
    end_penalty: Tensor

    def __init__(self, allowed: tuple[np.ndarray, np.ndarray, np.ndarray]):
        super().__init__()
        start, transitions, end = (torch.from_numpy(np.asarray(a, bool)) for a in allowed)
        self.num_tags = num_tags = len(start)
        self.start = nn.Parameter(torch.empty(num_tags).uniform_(-0.1, 0.1))
        self.transitions = nn.Parameter(torch.empty(num_tags, num_tags).uniform_(-0.1, 0.1))
        self.end = nn.Parameter(torch.empty(num_tags).uniform_(-0.1, 0.1))
        for name, mask in (("start", start), ("transition", transitions), ("end", end)):
            self.register_buffer(f"{name}_penalty", torch.where(mask, 0.0, FORBIDDEN), persistent=False)

    def potentials(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return start (K,), transitions (K,K), end (K,) with the forbidden ones at `FORBIDDEN`."""
        return (
            self.start + self.start_penalty,
            self.transitions + self.transition_penalty,
            self.end + self.end_penalty,
        )

    def log_likelihood(self, emissions: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """Return ln P(tags | emissions) of each row: (B,T,K), (B,T), (B,) -> (B,)."""
        return self.score(emissions, tags, lengths) - self.log_partition(emissions, lengths)

    def score(self, emissions: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """Return the unnormalised log score of each row's path, (B,)."""
        start, transitions, end = self.potentials()
        mask = torch.arange(emissions.shape[1])[None] < lengths[:, None]  # (B,T)
        emitted = emissions.gather(2, tags[:, :, None]).squeeze(2) * mask
        moved = transitions[tags[:, :-1], tags[:, 1:]] * mask[:, 1:]
        last = tags.gather(1, lengths[:, None] - 1).squeeze(1)
        return start[tags[:, 0]] + emitted.sum(1) + moved.sum(1) + end[last]

    def log_partition(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Return ln Σ exp(score) over all paths of each row, (B,) (the forward algorithm)."""
        start, transitions, end = self.potentials()
        alpha = start + emissions[:, 0]  # (B,K)
        for t in range(1, emissions.shape[1]):
            following = torch.logsumexp(alpha[:, :, None] + transitions, dim=1) + emissions[:, t]
            alpha = torch.where((t < lengths)[:, None], following, alpha)
        return torch.logsumexp(alpha + end, dim=1)

    @torch.no_grad()
    def decode(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Return the most probable tags, (B,T) int64; 0 beyond a row's end (Viterbi; ties go to the lowest tag id)."""
        start, transitions, end = self.potentials()
        num_steps = emissions.shape[1]
        best = start + emissions[:, 0]  # (B,K)
        pointers = []
        stay = torch.arange(emissions.shape[2]).expand(len(lengths), -1)
        for t in range(1, num_steps):
            values, came_from = (best[:, :, None] + transitions).max(dim=1)
            inside = (t < lengths)[:, None]
            best = torch.where(inside, values + emissions[:, t], best)
            pointers.append(torch.where(inside, came_from, stay))
        tag = (best + end).argmax(dim=1)  # (B,)
        path = [tag]
        for came_from in reversed(pointers):
            tag = came_from.gather(1, tag[:, None]).squeeze(1)
            path.append(tag)
        tags = torch.stack(path[::-1], dim=1)
        return tags * (torch.arange(num_steps)[None] < lengths[:, None])
