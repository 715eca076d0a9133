"""Request and response of /v1/transduce."""

from typing import Annotated

from msgspec import Meta, Struct

from seqserve.transducer.answers import TransduceResult

DEFAULT_TOKENS = 128
MAX_TOKENS = 512
MAX_BEAMS = 16


class TransduceRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Texts to be turned into other texts, such as translations."""

    model: Annotated[
        str | None, Meta(description="Name of an encoder-decoder; absent: the only one, or the first by name.")
    ] = None
    text: Annotated[str | list[str], Meta(description="One text or several, each of at least one token.")]
    max_tokens: Annotated[
        int, Meta(ge=1, le=MAX_TOKENS, description="Most tokens of an answer, the end of the text counted.")
    ] = DEFAULT_TOKENS
    beams: Annotated[
        int,
        Meta(
            ge=1,
            le=MAX_BEAMS,
            description="Width of the beam search; 1, the default, is greedy. Of the answers that were followed to "
            "their end, the one with the highest log_prob a token is given.",
        ),
    ] = 1


class TransduceResponse(Struct, kw_only=True):
    """One result per text, in order."""

    model: str
    version: str
    results: list[TransduceResult]
