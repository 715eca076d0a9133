"""First weights from an earlier run, matched token by token."""

from pathlib import Path

from seqserve.training.checkpoints import MODEL, load_tensors, must_fit
from seqserve.training.language.model import LanguageModel
from seqserve.training.warm_start import copy_weights
from seqserve.vocabulary.tokens import FIRST_ID, UNKNOWN_ID, TokenVocabulary

_BY_TOKEN = {"embedding.weight": 1, "softmax.weight": 1, "softmax.bias": 1}


def start_from(model: LanguageModel, vocabulary: TokenVocabulary, folder: Path) -> int:
    """Copy the best weights of a run into a model of the same sizes; returns how many of its tokens were known there.

    Rows of the tables go by token, and tokens that the earlier run did not know keep their fresh rows. Raises RunError
    when another tensor differs in name or size, as those of an adaptive softmax over other tokens do.
    """
    path = folder / MODEL
    state = load_tensors(path)
    with must_fit(path):
        earlier = TokenVocabulary(state["tokens"], name=str(path))
        pairs = [(number, earlier.lookup(token)) for number, token in enumerate(vocabulary.tokens, FIRST_ID)]
        known = [(number, found) for number, found in pairs if found != UNKNOWN_ID]
        reserved = [(number, number) for number in range(FIRST_ID)]
        copy_weights(model, state["weights"], pairs=[*reserved, *known], by_row=_BY_TOKEN, path=path)
    return len(known)
