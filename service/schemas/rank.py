"""Request and response of /v1/rank."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from seqserve.language.answers import RankedCandidate

MIN_CANDIDATES = 2
MAX_CANDIDATES = 1000


class Candidate(Struct, forbid_unknown_fields=True, kw_only=True):
    """One reading, with the log score that another model gave it."""

    text: str
    score: Annotated[float, Meta(description="Outside log score, acoustic for example.")] = 0.0


class RankRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Candidates to choose among, as of an n-best list of speech recognition or translation."""

    model: Annotated[
        str | None, Meta(description="Name of a language model; absent: the only one, or the first by name.")
    ] = None
    candidates: Annotated[list[str | Candidate], Meta(min_length=MIN_CANDIDATES, max_length=MAX_CANDIDATES)]
    context: Annotated[str | None, Meta(description="What stands before all of them: conditioned on, not scored.")] = (
        None
    )
    lm_weight: Annotated[float, Meta(description="Weight of the language model against the outside scores.")] = 1.0
    length_bonus: Annotated[float, Meta(description="Added per token.")] = 0.0
    normalize: Annotated[
        Literal["none", "tokens"], Meta(description="`tokens` divides log_prob by the number of tokens.")
    ] = "none"


class RankResponse(Struct, kw_only=True):
    """The candidates, best first; of equal ones the first that was sent comes first."""

    model: str
    version: str
    best: Annotated[int, Meta(description="Index of the best candidate in the request.")]
    ranking: list[RankedCandidate]
