"""Attention of a decoder over the encoder's states."""

import torch
from torch import Tensor, nn

MASKED = -1e9
"""The score of places beyond a row's end: its exponential is 0."""


class GeneralAttention(nn.Module):
    """score(a<t>, m<s>) = a<t> W m<s>, softmax over s, mean of m (Luong et al. 2015, "general")."""

    def __init__(self, size: int, memory_size: int):
        super().__init__()
        self.query = nn.Linear(size, memory_size, bias=False)

    def forward(self, states: Tensor, memory: Tensor, is_real: Tensor) -> Tensor:
        """Map states (B,T,H), memory (B,S,M), is_real (B,S), True at real places -> contexts (B,T,M)."""
        scores = self.query(states) @ memory.transpose(1, 2)  # (B,T,S)
        weights = scores.float().masked_fill(~is_real[:, None], MASKED).softmax(dim=2)
        return weights.to(memory.dtype) @ memory


def mask_of(lengths: Tensor, size: int) -> Tensor:
    """Map lengths (B,) -> (B,size), True before each row's end."""
    return torch.arange(size) < lengths[:, None]
