"""What a tagger answers."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from seqserve.answers import Probability


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
    """The entities of one text."""

    entities: list[Entity]
    tokens: list[TaggedToken] | UnsetType = UNSET
