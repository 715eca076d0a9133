"""Features of a word from its characters: a convolution or a bidirectional LSTM."""

import torch
from torch import Tensor, nn

NO_FEATURE = -1e4  # feature at places outside a word


class CharCNN(nn.Module):
    """Convolution over character embeddings, maximum over the word (Ma & Hovy 2016, without their relu).

    Character ids (B,T,L), 0 after a word's end -> (B,T,F). Positions outside the word are zeros to the filter.
    """

    def __init__(self, num_characters: int, *, embedding_dim: int, size: int, width: int):
        super().__init__()
        self.embedding = nn.Embedding(num_characters, embedding_dim, padding_idx=0)
        self.convolution = nn.Conv1d(embedding_dim, size, width, padding=width // 2)
        self.size = size

    def forward(self, chars: Tensor) -> Tensor:
        batch, num_tokens, num_chars = chars.shape
        flat = chars.view(batch * num_tokens, num_chars)
        features = self.convolution(self.embedding(flat).transpose(1, 2))  # (B*T,F,L)
        outside = (flat == 0)[:, None]  # (B*T,1,L)
        maximum = features.masked_fill(outside, NO_FEATURE).amax(dim=2)
        maximum = maximum.masked_fill(outside.all(dim=2), 0.0)  # padding words
        return maximum.view(batch, num_tokens, self.size)


class CharLSTM(nn.Module):
    """Last states of a forward and a backward LSTM over the word (Lample et al. 2016).

    Character ids (B,T,L), 0 after a word's end -> (B,T,2H), [forward, backward].
    """

    def __init__(self, num_characters: int, *, embedding_dim: int, size: int):
        super().__init__()
        self.embedding = nn.Embedding(num_characters, embedding_dim, padding_idx=0)
        self.forward_cell = nn.LSTM(embedding_dim, size, batch_first=True)
        self.backward_cell = nn.LSTM(embedding_dim, size, batch_first=True)
        self.size = 2 * size

    def forward(self, chars: Tensor) -> Tensor:
        batch, num_tokens, num_chars = chars.shape
        flat = chars.view(batch * num_tokens, num_chars)
        lengths = (flat != 0).sum(1).clamp(min=1)  # a padding word is read as one padding character
        embedded = self.embedding(flat)
        last = (lengths - 1)[:, None, None]
        forward = self.forward_cell(embedded)[0]
        backward = self.backward_cell(reverse(embedded, lengths))[0]
        states = [h.gather(1, last.expand(-1, 1, h.shape[2])).squeeze(1) for h in (forward, backward)]
        return torch.cat(states, dim=1).view(batch, num_tokens, self.size)


def reverse(inputs: Tensor, lengths: Tensor) -> Tensor:
    """Reverse each row's first `length` positions and leave the padding in place: (B,T,E) -> (B,T,E)."""
    position = torch.arange(inputs.shape[1])[None]
    mirrored = lengths[:, None] - 1 - position
    index = torch.where(mirrored >= 0, mirrored, position)
    return inputs.gather(1, index[:, :, None].expand_as(inputs))
