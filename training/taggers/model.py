"""The recurrent CRF tagger (Huang et al. 2015; Lample et al. 2016; Ma & Hovy 2016)."""

from torch import Tensor, nn

from seqserve.tagger.tags import allowed_transitions, make_tags
from seqserve.training.layers.characters import CharCNN, CharLSTM
from seqserve.training.layers.crf import CRF
from seqserve.training.layers.encoder import Encoder, FeedForward
from seqserve.training.layers.reader import Reader, build_parts
from seqserve.training.layers.words import WordFeatures
from seqserve.training.reading.features import Features
from seqserve.training.taggers.config import ModelConfig


class Tagger(Reader):
    """words (B,T), chars (B,T,L), lengths (B,) -> emissions (B,T,K); the CRF turns those into tags."""

    def __init__(
        self,
        words: WordFeatures,
        characters: CharCNN | CharLSTM | None,
        encoder: Encoder,
        *,
        crf: CRF,
        feed_forward: tuple[int, ...] = (),
    ):
        super().__init__(words, characters, encoder)
        self.feed_forward = FeedForward(encoder.size, feed_forward)
        self.emission = nn.Linear(self.feed_forward.size, crf.num_tags)
        self.crf = crf

    def emissions(self, words: Tensor, chars: Tensor, lengths: Tensor) -> Tensor:
        emissions: Tensor = self.emission(self.feed_forward(self.states(words, chars, lengths)))
        return emissions

    def loss(self, words: Tensor, chars: Tensor, lengths: Tensor, tags: Tensor) -> Tensor:
        """Return the mean over the rows of −ln P(tags | sentence)."""
        return -self.crf.log_likelihood(self.emissions(words, chars, lengths), tags, lengths).mean()

    def answer(self, words: Tensor, chars: Tensor, lengths: Tensor, tags: Tensor) -> tuple[Tensor, Tensor]:
        """Return Viterbi tags, (B,T) int64, and −ln P(tags | sentence) of the true ones, (B,)."""
        emissions = self.emissions(words, chars, lengths)
        return self.crf.decode(emissions, lengths), -self.crf.log_likelihood(emissions, tags, lengths)


def build_tagger(model: ModelConfig, labels: tuple[str, ...], features: Features) -> Tagger:
    """Return a new tagger; its weights come from torch's global generator."""
    parts = build_parts(model, features)
    crf = CRF(allowed_transitions(make_tags(labels, model.scheme), model.scheme))
    return Tagger(*parts, crf=crf, feed_forward=model.feed_forward)
