"""Request and response of /v1/tag."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from seqserve.answers import Probability
from seqserve.tagger.answers import TagResult


class TagRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Texts to find names in: either `text` or `tokens`."""

    model: Annotated[str | None, Meta(description="Name of a tagger; absent: the only one, or the first by name.")] = (
        None
    )
    text: Annotated[str | list[str] | None, Meta(description="One text or several.")] = None
    tokens: Annotated[
        list[str | list[str]] | None,
        Meta(description="One text already tokenised, or a list of such. No token is empty."),
    ] = None
    labels: Annotated[list[str] | None, Meta(description="Keep only entities of these labels.")] = None
    min_score: Annotated[Probability | None, Meta(description="Keep only entities with at least this score.")] = None
    include: Annotated[
        list[Literal["tokens", "tag_probs"]],
        Meta(description="`tokens` adds every token; `tag_probs` adds them with the distribution over tags."),
    ] = []


class TagResponse(Struct, kw_only=True):
    """One result per text, in order."""

    model: str
    version: str
    results: list[TagResult]
