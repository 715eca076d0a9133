"""Word features: frozen tables of word vectors, and an embedding trained with the tagger."""

import numpy as np
import torch
from torch import Tensor, nn

from seqserve.training.layers.dropout import WordDropout
from seqserve.vocabulary.words import UNKNOWN_ID


class VectorTable(nn.Module):
    """Frozen vectors (R,D) and the row of every word id (V,); row 0 is zeros, for words without a vector."""

    rows: Tensor
    vectors: Tensor

    def __init__(self, rows: np.ndarray, vectors: np.ndarray):
        super().__init__()
        self.register_buffer("rows", torch.from_numpy(np.asarray(rows, np.int32)))
        self.register_buffer("vectors", torch.from_numpy(np.asarray(vectors, np.float32)))

    def forward(self, words: Tensor) -> Tensor:
        return self.vectors[self.rows[words].long()]  # (B,T,D)


class WordFeatures(nn.Module):
    """Concatenates projected frozen vectors and trained embeddings: word ids (B,T) -> (B,T,E)."""

    trained_rows: Tensor

    def __init__(
        self,
        tables: list[tuple[np.ndarray, np.ndarray]],
        trained_rows: np.ndarray,
        *,
        projection_dim: int,
        trained_dim: int,
        word_dropout: float,
        unknown_probability: float,
    ):
        super().__init__()
        self.tables = nn.ModuleList(VectorTable(rows, vectors) for rows, vectors in tables)
        width = sum(vectors.shape[1] for _, vectors in tables)
        self.projection = nn.Linear(width, projection_dim) if width and projection_dim else None
        self.register_buffer("trained_rows", torch.from_numpy(np.asarray(trained_rows, np.int32)))
        num_rows = int(trained_rows.max()) + 1
        self.trained = nn.Embedding(num_rows, trained_dim, padding_idx=0) if trained_dim else None
        if self.trained is not None:
            nn.init.uniform_(self.trained.weight, -0.1, 0.1)
            with torch.no_grad():
                self.trained.weight[0] = 0.0
        self.word_dropout = WordDropout(word_dropout)
        self.unknown_probability = unknown_probability
        self.size = (projection_dim if self.projection is not None else width) + trained_dim

    def forward(self, words: Tensor) -> Tensor:
        features = []
        if len(self.tables):
            vectors = torch.cat([table(words) for table in self.tables], dim=2)
            features.append(vectors if self.projection is None else self.projection(vectors))
        if self.trained is not None:
            rows = self.trained_rows[words].long()  # (B,T)
            if self.training and self.unknown_probability:
                unseen = torch.rand(rows.shape) < self.unknown_probability
                rows = torch.where(unseen & (rows != 0), UNKNOWN_ID, rows)
            features.append(self.trained(rows))
        if not features:
            return torch.zeros(*words.shape, 0)  # a model of characters alone
        return self.word_dropout(torch.cat(features, dim=2))
