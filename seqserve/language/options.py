"""What may be asked of a language model, over HTTP and in a call; types hold the limits of each value."""

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypedDict, TypeVar

import msgspec
from msgspec import Meta, Struct

from seqserve.errors import invalid
from seqserve.language.sampling.spec import MAX_SEED
from seqserve.reading import checked_text, converted

Options = TypeVar("Options", bound=Struct)

MAX_TOP = 20
MIN_CANDIDATES = 2
MAX_CANDIDATES = 1000
MAX_SAMPLES = 64

StopString = Annotated[str, Meta(min_length=1, max_length=256)]

Seed = Annotated[int, Meta(ge=0, extra_json_schema={"maximum": MAX_SEED})]
"""Of 64 bits, more than the JSON decoder's own bounds can hold: `plan_samples` checks the upper one."""


class ScoreOptions(Struct, forbid_unknown_fields=True, kw_only=True):
    """How texts are scored."""

    context: Annotated[
        str | list[str] | None,
        Meta(
            description="What stands before the text: conditioned on, not scored. Both are read as one text, with a "
            "space between where a word would run over the border. One for all, or one per text."
        ),
    ] = None
    eos: Annotated[
        bool | None,
        Meta(
            description="Count the end of the sentence, <EOS>. Without it the text goes on: an abbreviation at its end "
            "keeps its period. Default true; false for a model of running text, which never learned it "
            "(`ends_sentences` false in /v1/models) and refuses true."
        ),
    ] = None
    include: Annotated[list[Literal["tokens"]], Meta(description="`tokens` adds every token.")] = []
    top: Annotated[
        int, Meta(ge=0, le=MAX_TOP, description="Most likely alternatives at each place; with `tokens` only.")
    ] = 0


class Candidate(Struct, forbid_unknown_fields=True, kw_only=True):
    """One reading, with the log score that another model gave it."""

    text: str
    score: Annotated[float, Meta(description="Outside log score, acoustic for example.")] = 0.0


class RankOptions(Struct, forbid_unknown_fields=True, kw_only=True):
    """Candidates to choose among, and how; total = score + lm_weight * lm + length_bonus * num_tokens."""

    candidates: Annotated[list[str | Candidate], Meta(min_length=MIN_CANDIDATES, max_length=MAX_CANDIDATES)]
    context: Annotated[
        str | None, Meta(description="What stands before all of them: conditioned on, not scored; as in /v1/score.")
    ] = None
    lm_weight: Annotated[float, Meta(description="Weight of the language model against the outside scores.")] = 1.0
    length_bonus: Annotated[float, Meta(description="Added per token.")] = 0.0
    normalize: Annotated[
        Literal["none", "tokens"], Meta(description="`tokens` divides log_prob by the number of tokens.")
    ] = "none"


class SampleOptions(Struct, forbid_unknown_fields=True, kw_only=True):
    """How new text is to be drawn, token by token."""

    prompt: Annotated[
        str,
        Meta(
            description="What the text goes on from: an abbreviation at its end keeps its period. Empty: the start of "
            "a text."
        ),
    ] = ""
    n: Annotated[int, Meta(ge=1, le=MAX_SAMPLES, description="How many samples.")] = 1
    max_tokens: Annotated[int, Meta(ge=1, le=4096, description="Most tokens of a sample, <EOS> counted.")] = 100
    min_tokens: Annotated[
        int,
        Meta(
            ge=0,
            le=4096,
            description="<EOS> is not drawn before this many tokens; a stop string may end a sample earlier.",
        ),
    ] = 0
    temperature: Annotated[float, Meta(ge=0, description="Divides the logits; 0 takes the most likely token.")] = 1.0
    top_k: Annotated[
        int, Meta(ge=0, le=2**31 - 1, description="Only the k most likely tokens, and ties with the last; 0 is off.")
    ] = 0
    top_p: Annotated[
        float,
        Meta(gt=0, le=1, description="Only the most likely tokens that together have this probability; 1 is off."),
    ] = 1.0
    min_p: Annotated[
        float, Meta(ge=0, le=1, description="Only tokens at least this likely relative to the most likely; 0 is off.")
    ] = 0.0
    repetition_penalty: Annotated[
        float,
        Meta(
            gt=0,
            description="Logits of tokens of the prompt and of the text so far are divided by it where positive and "
            "multiplied where negative; 1 is off.",
        ),
    ] = 1.0
    stop: Annotated[
        list[StopString],
        Meta(max_length=8, description="A sample ends where one of these ends in its text, and is cut before it."),
    ] = []
    banned: Annotated[
        list[str],
        Meta(
            max_length=1024,
            description="Tokens that are never drawn, spelled as in the model's vocabulary: words, or single "
            "characters for a model of characters. One that the model does not know is an error.",
        ),
    ] = []
    allow_unknown: Annotated[
        bool, Meta(description="Whether <UNK> may be drawn; else its probability goes to the other tokens.")
    ] = False
    ignore_eos: Annotated[
        bool,
        Meta(
            description="Never draw <EOS>; always so for a model of running text (`ends_sentences` false in "
            "/v1/models)."
        ),
    ] = False
    seed: Annotated[
        Seed | None, Meta(description="The same seed and parameters give the same text; drawn when absent.")
    ] = None
    include: Annotated[list[Literal["tokens"]], Meta(description="`tokens` adds every token that was drawn.")] = []


class SampleKeywords(TypedDict, total=False):
    """The fields of SampleOptions but the prompt, as keywords of a call."""

    n: int
    max_tokens: int
    min_tokens: int
    temperature: float
    top_k: int
    top_p: float
    min_p: float
    repetition_penalty: float
    stop: Iterable[str]
    banned: Iterable[str]
    allow_unknown: bool
    ignore_eos: bool
    seed: int | None
    include: Iterable[Literal["tokens"]]


def options_of(kind: type[Options], given: dict[str, Any]) -> Options:
    """Return the arguments of a call as the fields of a request; raises InvalidRequestError."""
    options: Options = converted(given, kind)
    for name in given:
        _check(getattr(options, name), name)
    return options


def _check(value: object, *steps: str | int) -> None:
    """Refuse what no JSON could hold: texts with lone surrogates, numbers that are not finite."""
    if isinstance(value, str):
        checked_text(value, *steps)
    elif isinstance(value, float) and not math.isfinite(value):
        raise invalid("This number is not finite.", *steps)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check(item, *steps, index)
    elif isinstance(value, Struct):
        for name, item in msgspec.structs.asdict(value).items():
            _check(item, *steps, name)
