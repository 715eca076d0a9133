"""What taggers and classifiers read a sentence with: word and character features, recurrent layers."""

import torch
from torch import Tensor, nn

from seqserve.training.config import CharactersConfig, DropoutConfig, ReaderConfig
from seqserve.training.layers.characters import CharCNN, CharLSTM
from seqserve.training.layers.encoder import Encoder, EncoderDropout
from seqserve.training.layers.words import WordFeatures
from seqserve.training.reading.features import Features


class Reader(nn.Module):
    """words (B,T), chars (B,T,L), lengths (B,) -> states (B,T,D*H)."""

    def __init__(self, words: WordFeatures, characters: CharCNN | CharLSTM | None, encoder: Encoder):
        super().__init__()
        self.words = words
        self.characters = characters
        self.encoder = encoder
        self.precision = torch.float32

    def states(self, words: Tensor, chars: Tensor, lengths: Tensor) -> Tensor:
        """Return float32 states of the last layer at every token; beyond a row's end they mean nothing."""
        features = self.words(words)
        if self.characters is not None:
            features = torch.cat([features, self.characters(chars)], dim=2)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training and self.precision == torch.bfloat16):
            states: Tensor = self.encoder(features, lengths)
        return states.float()


def build_words(model: ReaderConfig, features: Features) -> WordFeatures:
    """Return word features over the vocabularies and tables of a training."""
    return WordFeatures(
        features.tables,
        features.trained_rows,
        projection_dim=model.words.projection_dim,
        trained_dim=model.words.trained_dim,
        word_dropout=model.dropout.word,
        unknown_probability=model.dropout.unknown,
    )


def build_characters(config: CharactersConfig, num_characters: int) -> CharCNN | CharLSTM | None:
    """Return features from a word's characters, of the kind that the configuration names."""
    if config.kind == "none":
        return None
    if config.kind == "lstm":
        return CharLSTM(num_characters, embedding_dim=config.embedding_dim, size=config.size)
    return CharCNN(num_characters, embedding_dim=config.embedding_dim, size=config.size, width=config.width)


def build_encoder(model: ReaderConfig, words: WordFeatures, characters: CharCNN | CharLSTM | None) -> Encoder:
    """Return recurrent layers over the features of words and characters."""
    input_size = words.size + (characters.size if characters is not None else 0)
    return Encoder(
        model.cell,
        (input_size, model.hidden_size),
        num_layers=model.num_layers,
        bidirectional=model.bidirectional,
        dropout=encoder_dropout(model.dropout),
    )


def encoder_dropout(rates: DropoutConfig) -> EncoderDropout:
    """Return the part of a configuration's dropout that is the encoder's."""
    return EncoderDropout(rates.input, rates.hidden, rates.output, rates.recurrent)
