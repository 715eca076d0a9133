"""Request and response of /v1/tag."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from seqserve.answers import Probability


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


class Entity(Struct, kw_only=True):
    """A name: half-open ranges of code points and of tokens, and the posterior probability of exactly this span."""

    text: str
    label: str
    start: int
    end: int
    token_start: int
    token_end: int
    score: Probability


class TaggedToken(Struct, kw_only=True, omit_defaults=True):
    """A token of the text with its tag; `is_name` is 1 where it is part of a person's name."""

    text: str
    start: int
    end: int
    tag: str
    is_name: Literal[0, 1]
    score: Annotated[Probability, Meta(description="Marginal probability of the tag.")]
    tag_probs: Annotated[dict[str, Probability] | UnsetType, Meta(description="Marginal of every tag.")] = UNSET


class TagResult(Struct, kw_only=True, omit_defaults=True):
    """The names of one text."""

    entities: list[Entity]
    tokens: list[TaggedToken] | UnsetType = UNSET


class TagResponse(Struct, kw_only=True):
    """One result per text, in order."""

    model: str
    version: str
    results: list[TagResult]
