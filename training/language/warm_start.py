"""First weights from an earlier run, matched token by token."""

from pathlib import Path
from typing import Any

import torch

from seqserve.training.checkpoints import MODEL, RunError, load_tensors, must_fit
from seqserve.training.language.model import LanguageModel
from seqserve.vocabulary.tokens import FIRST_ID, UNKNOWN_ID, TokenVocabulary

_BY_TOKEN = ("embedding.weight", "softmax.weight", "softmax.bias")


@torch.no_grad()
def start_from(model: LanguageModel, vocabulary: TokenVocabulary, folder: Path) -> int:
    """Copy the best weights of a run into a model of the same sizes; returns how many of its tokens were known there.

    Rows of the tables go by token, and tokens that the earlier run did not know keep their fresh rows. Raises RunError
    when another tensor differs in name or size, as those of an adaptive softmax over other tokens do.
    """
    state = load_tensors(folder / MODEL)
    with must_fit(folder / MODEL):
        return _copy(model, vocabulary, state, folder)


def _copy(model: LanguageModel, vocabulary: TokenVocabulary, state: dict[str, Any], folder: Path) -> int:
    earlier = TokenVocabulary(state["tokens"], name=str(folder / MODEL))
    weights = dict(model.named_parameters())
    if weights.keys() != state["weights"].keys():
        differing = ", ".join(sorted(weights.keys() ^ state["weights"].keys()))
        raise RunError(f"{folder / MODEL}: cannot be started from: only one of the models has {differing}")
    pairs = [(number, earlier.lookup(token)) for number, token in enumerate(vocabulary.tokens, FIRST_ID)]
    known = [(number, found) for number, found in pairs if found != UNKNOWN_ID]
    rows = [*range(FIRST_ID), *(number for number, _ in known)]
    sources = [*range(FIRST_ID), *(found for _, found in known)]
    for name, weight in weights.items():
        given = state["weights"][name]
        if name in _BY_TOKEN and given.shape[1:] == weight.shape[1:]:
            weight[rows] = given[sources]
        elif given.shape == weight.shape:
            weight.copy_(given)
        else:
            raise RunError(
                f"{folder / MODEL}: cannot be started from: {name} is {tuple(given.shape)} instead of "
                f"{tuple(weight.shape)}"
            )
    return len(known)
