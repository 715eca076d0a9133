"""Language models of six tokens, opened as a server opens real ones."""

from typing import cast

from seqserve.service.engine.models import LanguageModel, QueueLimits
from seqserve.service.kinds import model_of
from tests.toy_language_model import ToyLanguageModel


def open_toy(*arguments: object, max_queue_tokens: int = 100_000, **options: object) -> LanguageModel:
    """Open a ToyLanguageModel, which takes the other arguments."""
    toy = ToyLanguageModel(*arguments, **options)  # type: ignore[arg-type]
    return cast(LanguageModel, model_of(toy, "cpu", QueueLimits(max_queue_tokens)))  # type: ignore[arg-type]
