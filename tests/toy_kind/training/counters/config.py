"""The configuration of one counter."""

from dataclasses import dataclass
from typing import Annotated, Literal

from seqserve.training.config import FilePath, TrainingConfig


@dataclass(frozen=True)
class CounterData:
    """Files."""

    train: Annotated[FilePath, "text, one sentence a line"]


@dataclass(frozen=True, kw_only=True)
class CounterConfig(TrainingConfig):
    """One training of a counter."""

    task: Annotated[Literal["count"], "the kind of model"] = "count"
    data: CounterData
    max_tokens: Annotated[int, "longer texts are refused"] = 5
