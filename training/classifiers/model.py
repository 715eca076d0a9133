"""Many to one: a recurrent classifier of texts; of one token (T = 1) it is one to one."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from seqserve.training.classifiers.config import ClassifierModelConfig
from seqserve.training.layers.attention import mask_of
from seqserve.training.layers.characters import CharCNN, CharLSTM
from seqserve.training.layers.encoder import Encoder, FeedForward
from seqserve.training.layers.reader import Reader, build_parts
from seqserve.training.layers.words import WordFeatures
from seqserve.training.reading.features import Features


class Classifier(Reader):
    """words (B,T), chars (B,T,L), lengths (B,) -> logits (B,K) of the labels.

    One vector of a text, then feed-forward layers, then a linear one: y = softmax(W_y pool(a<1>, ..., a<Tx>) + b_y).
    """

    def __init__(
        self,
        words: WordFeatures,
        characters: CharCNN | CharLSTM | None,
        encoder: Encoder,
        *,
        num_labels: int,
        pooling: str,
        feed_forward: tuple[int, ...] = (),
    ):
        super().__init__(words, characters, encoder)
        self.pooling = pooling
        self.feed_forward = FeedForward(encoder.size, feed_forward)
        self.output = nn.Linear(self.feed_forward.size, num_labels)

    def forward(self, words: Tensor, chars: Tensor, lengths: Tensor) -> Tensor:
        states = self.states(words, chars, lengths)
        pooled = pool(states, lengths, self.pooling, bidirectional=self.encoder.bidirectional)
        logits: Tensor = self.output(self.feed_forward(pooled))
        return logits

    def loss(self, words: Tensor, chars: Tensor, lengths: Tensor, labels: Tensor) -> Tensor:
        """Return the mean over the texts of -ln P(label | text); labels (B,)."""
        return cross_entropy(self(words, chars, lengths), labels)


def pool(states: Tensor, lengths: Tensor, pooling: str, *, bidirectional: bool) -> Tensor:
    """Map states (B,T,D*H) of rows of `lengths` -> one vector a row (B,D*H).

    "last": where each direction ends, which is the row's first token for the backward one. "middle": where the
    directions meet, the forward one at token (T-1)//2 (from 0) and the backward one at T//2: in the first layer each
    has read its half, and both the token in the middle where T is odd. "mean", "max": over the row's tokens.
    """
    rows = torch.arange(len(states))
    if pooling in ("last", "middle"):
        forward_at = lengths - 1 if pooling == "last" else (lengths - 1) // 2
        if not bidirectional:
            return states[rows, forward_at]
        backward_at = torch.zeros_like(lengths) if pooling == "last" else lengths // 2
        size = states.shape[2] // 2
        return torch.cat([states[rows, forward_at, :size], states[rows, backward_at, size:]], dim=1)
    real = mask_of(lengths, states.shape[1])[:, :, None]  # (B,T,1)
    if pooling == "mean":
        return states.masked_fill(~real, 0.0).sum(dim=1) / lengths[:, None]
    return states.masked_fill(~real, -torch.inf).amax(dim=1)


def build_classifier(model: ClassifierModelConfig, num_labels: int, features: Features) -> Classifier:
    """Return a new classifier; its weights come from torch's global generator."""
    parts = build_parts(model, features)
    return Classifier(*parts, num_labels=num_labels, pooling=model.pooling, feed_forward=model.feed_forward)
