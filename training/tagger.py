"""The BiLSTM-CRF tagger (Huang et al. 2015; Lample et al. 2016; Ma & Hovy 2016)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bundle.tags import allowed_transitions, make_tags
from training.characters import CharCNN, CharLSTM
from training.config import CharactersConfig, ModelConfig
from training.crf import CRF
from training.encoder import BiLSTM
from training.features import Features
from training.words import WordFeatures


class Tagger(nn.Module):
    """words (B,T), chars (B,T,L), lengths (B,) -> emissions (B,T,K); the CRF turns those into tags."""

    def __init__(
        self, words: WordFeatures, characters: CharCNN | CharLSTM | None, encoder: BiLSTM, emission: nn.Linear, crf: CRF
    ):
        super().__init__()
        self.words = words
        self.characters = characters
        self.encoder = encoder
        self.emission = emission
        self.crf = crf
        self.precision = torch.float32

    def emissions(self, words: Tensor, chars: Tensor, lengths: Tensor) -> Tensor:
        features = self.words(words)
        if self.characters is not None:
            features = torch.cat([features, self.characters(chars)], dim=2)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training and self.precision == torch.bfloat16):
            states = self.encoder(features, lengths)
        return self.emission(states.float())

    def loss(self, words: Tensor, chars: Tensor, lengths: Tensor, tags: Tensor) -> Tensor:
        """Mean over the rows of −ln P(tags | sentence)."""
        return -self.crf.log_likelihood(self.emissions(words, chars, lengths), tags, lengths).mean()

    def decode(self, words: Tensor, chars: Tensor, lengths: Tensor) -> Tensor:
        """Viterbi tags, (B,T) int64."""
        return self.crf.decode(self.emissions(words, chars, lengths), lengths)


def build_tagger(model: ModelConfig, labels: tuple[str, ...], features: Features) -> Tagger:
    """A new tagger; its weights come from torch's global generator."""
    words = WordFeatures(
        features.tables,
        features.trained_rows,
        projection_dim=model.words.projection_dim,
        trained_dim=model.words.trained_dim,
        word_dropout=model.dropout.word,
        unknown_probability=model.dropout.unknown,
    )
    characters = build_characters(model.characters, len(features.characters))
    encoder = BiLSTM(
        words.size + (characters.size if characters is not None else 0),
        model.hidden_size,
        num_layers=model.num_layers,
        input_dropout=model.dropout.input,
        hidden_dropout=model.dropout.hidden,
        output_dropout=model.dropout.output,
        recurrent_dropout=model.dropout.recurrent,
    )
    tags = make_tags(labels, model.scheme)
    crf = CRF(allowed_transitions(tags, model.scheme))
    return Tagger(words, characters, encoder, nn.Linear(2 * model.hidden_size, len(tags)), crf)


def build_characters(config: CharactersConfig, num_characters: int) -> CharCNN | CharLSTM | None:
    if config.kind == "none":
        return None
    if config.kind == "lstm":
        return CharLSTM(num_characters, embedding_dim=config.embedding_dim, size=config.size)
    return CharCNN(num_characters, embedding_dim=config.embedding_dim, size=config.size, width=config.width)
