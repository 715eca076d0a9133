"""The probabilities of all sentences up to a length, and of being longer, sum to 1."""

import itertools

import numpy as np
import pytest

from seqserve.training.export.cells.table import CELLS
from seqserve.vocabulary.tokens import EOS_ID
from tests.training.export.language_models import open_score, random_model, score_feeds

LONGEST = 6  # tokens, <EOS> not counted
WORDS = (1, 2, 3)  # <UNK> and two tokens: every id but <EOS>


@pytest.mark.parametrize(
    "options",
    [
        {},
        *({"cell": cell} for cell in CELLS if cell != "lstm"),
        {"cutoffs": (1, 3), "hidden_size": 17},
        {"cutoffs": (2,)},
    ],
    ids=str,
)
def test_all_sentences_and_the_remainder_sum_to_one(tmp_path, options):
    trained = random_model(num_ids=len(WORDS) + 1, **options)
    graph = open_score(tmp_path, trained)
    total, remainder = 0.0, 0.0
    for length in range(LONGEST + 1):
        sentences = np.array(list(itertools.product(WORDS, repeat=length)), dtype=int).reshape(
            len(WORDS) ** length, length
        )
        ended = np.concatenate([sentences, np.full((len(sentences), 1), EOS_ID)], axis=1)
        scored = graph.run(score_feeds(trained, ended, np.full(len(ended), length + 1)))["log_probs"].astype(np.float64)
        total += np.exp(scored.sum(axis=1)).sum()
        if length == LONGEST:
            # Sentences that go on: so far, times everything but <EOS> next.
            remainder = (np.exp(scored[:, :-1].sum(axis=1)) * -np.expm1(scored[:, -1])).sum()
    assert remainder > 0
    assert total + remainder == pytest.approx(1, abs=1e-5)
