"""Define the answer of /v1/models."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from seqserve.tagger.manifest import TaggerCalibration


class ModelLimits(Struct, kw_only=True):
    """What the model and this server take; what does not apply to the model's task is absent.

    Longer words are cut and longer sentences split; more tokens (of a text, of a prompt), texts or candidates are
    refused.
    """

    max_word_chars: int | UnsetType = UNSET
    max_sentence_tokens: int | UnsetType = UNSET
    max_tokens: int
    max_prompt_tokens: int | UnsetType = UNSET
    max_texts: int
    max_candidates: int | UnsetType = UNSET
    max_beams: int | UnsetType = UNSET


class ModelInfo(Struct, kw_only=True):
    """A model that this server has open; `created` is in seconds since 1970."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    task: str
    default: Annotated[bool, Meta(description="Whether it answers the requests of its task that name no model.")]
    version: str
    description: str
    cell: str
    level: Annotated[
        Literal["word", "character"] | UnsetType, Meta(description="What a token of a language model is.")
    ] = UNSET
    vocabulary_size: Annotated[
        int | UnsetType, Meta(description="Tokens that are predicted, <EOS> and <UNK> among them.")
    ] = UNSET
    ends_sentences: Annotated[
        bool | UnsetType, Meta(description="Whether a language model has learned <EOS>; else it writes on and on.")
    ] = UNSET
    num_parameters: int
    languages: list[str]
    labels: list[str]
    decode: Annotated[
        list[Literal["best_path", "expected_f1"]] | UnsetType,
        Meta(description="Values of `decode` that /v1/tag takes for a tagger."),
    ] = UNSET
    calibration: Annotated[
        TaggerCalibration | UnsetType,
        Meta(description="Of a tagger's scores; absent where it was not calibrated when it was exported."),
    ] = UNSET
    limits: ModelLimits
    metrics: dict[str, dict[str, float]]
    licence: str
    reproducible: bool
    provider: str


class ModelList(Struct, kw_only=True):
    """Every open model."""

    object: Literal["list"] = "list"
    data: list[ModelInfo]
