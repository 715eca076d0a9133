"""Dropout whose mask does not change along a sequence (Gal & Ghahramani 2016; Merity et al. 2018)."""

import torch
from torch import Tensor, nn


class LockedDropout(nn.Module):
    """One mask per sentence and feature, the same at every position: (B,T,E) -> (B,T,E)."""

    def __init__(self, probability: float):
        super().__init__()
        self.probability = probability

    def forward(self, inputs: Tensor) -> Tensor:
        if not self.training or not self.probability:
            return inputs
        keep = 1.0 - self.probability
        mask = torch.empty(inputs.shape[0], 1, inputs.shape[2]).bernoulli_(keep) / keep
        return inputs * mask


class WordDropout(nn.Module):
    """All features of a token at once set to zero: (B,T,E) -> (B,T,E), unscaled."""

    def __init__(self, probability: float):
        super().__init__()
        self.probability = probability

    def forward(self, inputs: Tensor) -> Tensor:
        if not self.training or not self.probability:
            return inputs
        return inputs * torch.empty(*inputs.shape[:2], 1).bernoulli_(1.0 - self.probability)
