"""Structs as JSON, whole and in pieces."""

import math

import msgspec
import pytest
from msgspec import UNSET

from seqserve.language.answers import Alternative, ScoredToken, ScoreResult
from seqserve.service.answers import encode_in_pieces, large_json_answer
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.routes.score import ScoreResponse
from seqserve.service.routes.tag import TagResponse
from seqserve.tagger.answers import Entity, TaggedToken, TagResult


def tagged(num_tokens: int, *, wants_tokens: bool) -> TagResult:
    token = TaggedToken(text="é", start=0, end=1, tag="O", is_name=0, score=0.5)
    entity = Entity(text="A", label="PER", start=0, end=1, token_start=0, token_end=1, score=0.25)
    return TagResult(entities=[entity] * (num_tokens // 3), tokens=[token] * num_tokens if wants_tokens else UNSET)


def scored(num_tokens: int) -> ScoreResult:
    top = [Alternative(text="\n", log_prob=-1.5)] * 20
    token = ScoredToken(text='"', start=0, end=1, log_prob=-2.0, rank=3, is_unknown=False, top=top)
    return ScoreResult(
        log_prob=-1.0, log10_prob=-0.5, prob=0.3, num_tokens=3, num_unknown=0, perplexity=2.0, perplexity_known=None,
        tokens=[token] * num_tokens,
    )  # fmt: skip


STRUCTS = {
    "nothing": TagResponse(model="m", version="1", results=[]),
    "no names": TagResponse(model="m", version="1", results=[tagged(0, wants_tokens=False)] * 3),
    "many texts": TagResponse(model="m", version="1", results=[tagged(3, wants_tokens=True)] * 500),
    "one long text": TagResponse(model="m", version="1", results=[tagged(1000, wants_tokens=True)]),
    "long and short": TagResponse(
        model="m", version="1", results=[tagged(size, wants_tokens=bool(size % 2)) for size in (0, 1, 64, 65, 1000)]
    ),
    "alternatives": ScoreResponse(model="m", version="1", results=[scored(200), scored(1)]),
}


@pytest.mark.parametrize("body", STRUCTS.values(), ids=STRUCTS)
def test_pieces_are_the_same_bytes(body: msgspec.Struct) -> None:
    assert encode_in_pieces(body) == msgspec.json.encode(body)


@pytest.mark.parametrize("num_items", [1, 1_000_000])
def test_small_and_large_answers_are_the_same(num_items: int) -> None:
    body = STRUCTS["long and short"]
    answer = large_json_answer(body, num_items=num_items, cancellation=Cancellation(math.inf))
    assert (answer.body, answer.status) == (msgspec.json.encode(body), 200)
