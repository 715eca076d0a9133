"""Request and response of /v1/score."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from seqserve.language.answers import ScoreResult

MAX_TOP = 20


class ScoreRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Texts whose probability is asked for."""

    model: Annotated[
        str | None, Meta(description="Name of a language model; absent: the only one, or the first by name.")
    ] = None
    text: Annotated[str | list[str], Meta(description="One text or several.")]
    context: Annotated[
        str | list[str] | None,
        Meta(description="What stands before the text: conditioned on, not scored. One for all, or one per text."),
    ] = None
    eos: Annotated[
        bool | None,
        Meta(
            description="Count the end of the sentence, <EOS>. Default true; false for a model of running text, which "
            "never learned it (`ends_sentences` false in /v1/models) and refuses true."
        ),
    ] = None
    include: Annotated[list[Literal["tokens"]], Meta(description="`tokens` adds every token.")] = []
    top: Annotated[
        int, Meta(ge=0, le=MAX_TOP, description="Most likely alternatives at each place; with `tokens` only.")
    ] = 0


class ScoreResponse(Struct, kw_only=True):
    """One result per text, in order."""

    model: str
    version: str
    results: list[ScoreResult]
