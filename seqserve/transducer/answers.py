"""What an encoder-decoder answers."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class TransduceResult(Struct, kw_only=True):
    """The answer to one text."""

    text: str
    log_prob: Annotated[
        float,
        Meta(description="Natural logarithm of P(answer | text) under the model, its end counted when it has one."),
    ]
    finish_reason: Annotated[
        Literal["eos", "length"], Meta(description="`length`: cut off at max_tokens, no end was found.")
    ]
