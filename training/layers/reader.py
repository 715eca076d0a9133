"""The layers of taggers and classifiers that read a sentence: word and character features, recurrent layers."""

import torch
from torch import Tensor, nn

from seqserve.training.config import ReaderConfig
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
        """Return float32 states of the last layer at every token; undefined beyond a row's end."""
        features = self.words(words)
        if self.characters is not None:
            features = torch.cat([features, self.characters(chars)], dim=2)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training and self.precision == torch.bfloat16):
            states: Tensor = self.encoder(features, lengths)
        return states.float()


def build_parts(model: ReaderConfig, features: Features) -> tuple[WordFeatures, CharCNN | CharLSTM | None, Encoder]:
    """Return the parts of a reader over the vocabularies of a training; weights come from torch's global generator."""
    words = WordFeatures(
        features.tables,
        features.trained_rows,
        projection_dim=model.words.projection_dim,
        trained_dim=model.words.trained_dim,
        word_dropout=model.dropout.word,
        unknown_probability=model.dropout.unknown,
    )
    own, count, rates = model.characters, len(features.characters), model.dropout
    characters: CharCNN | CharLSTM | None = None
    if own.kind == "lstm":
        characters = CharLSTM(count, embedding_dim=own.embedding_dim, size=own.size)
    elif own.kind == "cnn":
        characters = CharCNN(count, embedding_dim=own.embedding_dim, size=own.size, width=own.width)
    encoder = Encoder(
        model.cell,
        (words.size + (characters.size if characters is not None else 0), model.hidden_size),
        num_layers=model.num_layers,
        bidirectional=model.bidirectional,
        dropout=EncoderDropout(rates.input, rates.hidden, rates.output, rates.recurrent),
    )
    return words, characters, encoder
