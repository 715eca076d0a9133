"""What a language model answers: probabilities of texts, ranked candidates, and samples, whole or piece by piece."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from seqserve.answers import Probability

LogProbability = Annotated[float, Meta(description="Natural logarithm.")]


class Alternative(Struct, kw_only=True, gc=False):
    """A token that the model might have expected at that place."""

    text: str
    log_prob: LogProbability


class ScoredToken(Struct, kw_only=True, gc=False):
    """A token of the text, `text[start:end]`, or <EOS> at its end; `rank` 1 is the model's most likely token there.

    Of an unknown token `rank` is that of <UNK>.
    """

    text: str
    start: int
    end: int
    log_prob: LogProbability
    rank: Annotated[int, Meta(ge=1)]
    is_unknown: Annotated[
        bool,
        Meta(description="Outside the vocabulary: scored as one of the words that share the probability of <UNK>."),
    ]
    top: list[Alternative] | UnsetType = UNSET


class ScoreResult(Struct, kw_only=True):
    """The probability of one text."""

    log_prob: Annotated[float, Meta(description="Natural logarithm; the sum over the tokens in float64.")]
    log10_prob: Annotated[float, Meta(description="The same to base 10, as in ARPA files.")]
    prob: Annotated[Probability, Meta(description="exp(log_prob); 0.0 where that underflows.")]
    num_tokens: Annotated[int, Meta(description="Tokens that were predicted, <EOS> among them when it counts.")]
    num_unknown: int
    perplexity: Annotated[
        float | None, Meta(description="exp(-log_prob / num_tokens); null without tokens and where that overflows.")
    ]
    perplexity_known: Annotated[
        float | None, Meta(description="The same without unknown tokens; null when nothing is left.")
    ]
    tokens: list[ScoredToken] | UnsetType = UNSET


class RankedCandidate(Struct, kw_only=True):
    """A candidate with its total; `index` is its place in the request."""

    index: int
    text: str
    total: Annotated[float, Meta(description="score + lm_weight * lm + length_bonus * num_tokens.")]
    log_prob: LogProbability
    score: float
    num_tokens: int
    num_unknown: int
    posterior: Annotated[Probability, Meta(description="Softmax of the totals.")]


class DrawnToken(Struct, kw_only=True):
    """A token that was drawn, <EOS> as "<EOS>"; `log_prob` is the model's own: temperature 1, nothing cut."""

    text: str
    log_prob: float


class SampleResult(Struct, kw_only=True):
    """One sample. `num_tokens`, `log_prob` and `tokens` are of all that was drawn: <EOS>, and what a stop cut off."""

    text: str
    num_tokens: int
    log_prob: Annotated[
        float, Meta(description="Natural logarithm under the model itself; the sum over the tokens in float64.")
    ]
    finish_reason: Literal["eos", "length", "stop"]
    tokens: list[DrawnToken] | UnsetType = UNSET


class SamplePiece(Struct, kw_only=True):
    """An event of a stream: more text of one sample, and the sum over the tokens drawn since its last piece."""

    index: int
    text: str
    log_prob: float
    tokens: list[DrawnToken] | UnsetType = UNSET


class SampleEnd(Struct, kw_only=True):
    """An event of a stream: one sample has ended. `num_tokens` and `log_prob` are of all that was drawn for it."""

    index: int
    finish_reason: Literal["eos", "length", "stop"]
    num_tokens: int
    log_prob: float
    tokens: Annotated[
        list[DrawnToken] | UnsetType, Meta(description="Those that came after the last piece, such as <EOS>.")
    ] = UNSET
