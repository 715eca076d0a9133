"""Small random taggers in torch, to be exported."""

import numpy as np
import torch

from seqserve.tagger.tags import allowed_transitions, make_tags
from seqserve.training.layers.characters import CharCNN, CharLSTM
from seqserve.training.layers.crf import CRF
from seqserve.training.layers.encoder import Encoder, EncoderDropout
from seqserve.training.layers.words import WordFeatures
from seqserve.training.taggers.model import Tagger

NUM_WORDS = 50
NUM_CHARACTERS = 30
CHARACTERS = {
    "cnn": lambda: CharCNN(NUM_CHARACTERS, embedding_dim=5, size=7, width=3),
    "cnn5": lambda: CharCNN(NUM_CHARACTERS, embedding_dim=5, size=6, width=5),
    "cnn1": lambda: CharCNN(NUM_CHARACTERS, embedding_dim=5, size=6, width=1),
    "lstm": lambda: CharLSTM(NUM_CHARACTERS, embedding_dim=4, size=5),
    "none": lambda: None,
}


def random_tables(seed: int, widths: tuple[int, ...]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Tables of word vectors; row 0 is zeros and the padding's; some rows belong to no word."""
    generator = np.random.default_rng(seed)
    tables = []
    for width in widths:
        vectors = np.concatenate([np.zeros((1, width)), generator.normal(0, 1, (60, width))])
        rows = generator.integers(0, len(vectors), NUM_WORDS)
        rows[0] = 0
        tables.append((rows.astype(np.int32), vectors.astype(np.float32)))
    return tables


def random_tagger(
    seed: int = 0,
    *,
    widths: tuple[int, ...] = (12, 5),
    projection_dim: int = 8,
    trained_dim: int = 4,
    characters: str = "cnn",
    num_layers: int = 2,
    hidden_size: int = 9,
    scheme: str = "BIOES",
    cell: str = "lstm",
    bidirectional: bool = True,
    feed_forward: tuple[int, ...] = (),
) -> tuple[Tagger, tuple[str, ...]]:
    torch.manual_seed(seed)
    tags = make_tags(("PER", "LOC", "ORG"), scheme)
    trained_rows = np.arange(NUM_WORDS, dtype=np.int32)
    trained_rows[NUM_WORDS // 2 :] = 1  # seen too seldom to be learned
    words = WordFeatures(
        random_tables(seed, widths),
        trained_rows,
        projection_dim=projection_dim,
        trained_dim=trained_dim,
        word_dropout=0.5,
        unknown_probability=0.5,
    )
    character_features = CHARACTERS[characters]()
    encoder = Encoder(
        cell,
        (words.size + (character_features.size if character_features is not None else 0), hidden_size),
        num_layers=num_layers,
        bidirectional=bidirectional,
        dropout=EncoderDropout(0.5, 0.5, 0.5, 0.5),
    )
    crf = CRF(allowed_transitions(tags, scheme))
    tagger = Tagger(words, character_features, encoder, crf=crf, feed_forward=feed_forward)
    with torch.no_grad():
        tagger.emission.weight.mul_(5.0)  # answers that differ, as those of a trained model
    return tagger.eval(), tags


def weights_of(tagger: Tagger) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in tagger.state_dict().items()}


def torch_answers(tagger: Tagger, feeds: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Tags (B,T) and marginals (B,T,K): a marginal is the derivative of ln Z by its emission."""
    words, chars, lengths = (torch.from_numpy(feeds[name]).long() for name in ("words", "chars", "lengths"))
    with torch.no_grad():
        emissions = tagger.emissions(words, chars, lengths)
        tags = tagger.crf.decode(emissions, lengths)
    emissions.requires_grad_(True)
    (marginals,) = torch.autograd.grad(tagger.crf.log_partition(emissions, lengths).sum(), emissions)
    return tags.numpy(), marginals.numpy()
