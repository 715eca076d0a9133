"""What a classifier answers."""

from typing import Annotated

from msgspec import Meta, Struct

from seqserve.answers import Probability


class ClassifyResult(Struct, kw_only=True):
    """What one text is: the most likely label, and P(label | text) of every label."""

    label: str
    score: Annotated[Probability, Meta(description="Probability of `label`.")]
    scores: Annotated[dict[str, Probability], Meta(description="Probability of every label, in the model's order.")]
