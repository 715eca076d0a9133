"""Request and response of /v1/score."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from seqserve.answers import Probability

MAX_TOP = 20

LogProbability = Annotated[float, Meta(description="Natural logarithm.")]


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


class Alternative(Struct, kw_only=True, gc=False):
    """A token that the model might have expected at that place."""

    text: str
    log_prob: LogProbability


class ScoredToken(Struct, kw_only=True, gc=False):
    """A token of the text, `text[start:end]`, or <EOS> at its end; `rank` 1 is the model's most likely token there."""

    text: str
    start: int
    end: int
    log_prob: LogProbability
    rank: Annotated[int, Meta(ge=1)]
    is_unknown: Annotated[bool, Meta(description="Outside the vocabulary: scored as <UNK>.")]
    top: list[Alternative] | UnsetType = UNSET


class ScoreResult(Struct, kw_only=True):
    """The probability of one text."""

    log_prob: Annotated[float, Meta(description="Natural logarithm; the sum over the tokens in float64.")]
    log10_prob: Annotated[float, Meta(description="The same to base 10, as in ARPA files.")]
    prob: Annotated[Probability, Meta(description="exp(log_prob); 0.0 where that underflows.")]
    num_tokens: Annotated[int, Meta(description="Tokens that were predicted, <EOS> among them when it counts.")]
    num_unknown: int
    perplexity: Annotated[
        float | None,
        Meta(description="exp(-log_prob / num_tokens); null without tokens and where that overflows."),
    ]
    perplexity_known: Annotated[
        float | None, Meta(description="The same without unknown tokens; null when nothing is left.")
    ]
    tokens: list[ScoredToken] | UnsetType = UNSET


class ScoreResponse(Struct, kw_only=True):
    """One result per text, in order."""

    model: str
    version: str
    results: list[ScoreResult]
