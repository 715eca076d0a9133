"""The Python API answers as HTTP does: the same bytes, and the same words for what is not acceptable."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask

import seqserve
from seqserve.errors import InvalidRequestError
from seqserve.service.engine.models import QueueLimits
from seqserve.service.kinds import model_of

BUNDLES = Path(__file__).parents[1] / "fixtures" / "bundles"
TEXTS = ["I am happy.", "Where is the tree? Teddy Roosevelt came.", "où est Ann Ross ?"]


def ask(make_app: Callable[..., Flask], path: str, body: dict[str, Any]) -> Any:
    models = [seqserve.load(BUNDLES / name / "1") for name in ("tiny-ner", "tiny-classifier", "tiny-translate")]
    held = [model_of(model.bundle, "cpu", QueueLimits(100_000)) for model in models]
    return make_app(models=held).test_client().post(path, json=body)


CASES: dict[str, tuple[str, dict[str, Any], Callable[[], Any]]] = {
    "tag": (
        "/v1/tag",
        {"text": TEXTS, "include": ["tag_probs"]},
        lambda: tagger().tag(TEXTS, include=["tag_probs"]),
    ),
    "tag, kept": (
        "/v1/tag",
        {"text": TEXTS, "labels": ["PER"], "min_score": 0.3},
        lambda: tagger().tag(TEXTS, labels={"PER"}, min_score=0.3),
    ),
    "tag tokens": (
        "/v1/tag",
        {"tokens": [["Teddy", "Roosevelt"], ["Rome"]]},
        lambda: tagger().tag_tokens([["Teddy", "Roosevelt"], ["Rome"]]),
    ),
    "classify": ("/v1/classify", {"text": TEXTS}, lambda: classifier().classify(TEXTS)),
    "transduce": (
        "/v1/transduce",
        {"text": TEXTS, "beams": 3, "max_tokens": 9},
        lambda: transducer().transduce(TEXTS, beams=3, max_tokens=9),
    ),
}


def tagger() -> seqserve.Tagger:
    return seqserve.load(BUNDLES / "tiny-ner", seqserve.Tagger)


def classifier() -> seqserve.Classifier:
    return seqserve.load(BUNDLES / "tiny-classifier", seqserve.Classifier)


def transducer() -> seqserve.Transducer:
    return seqserve.load(BUNDLES / "tiny-translate", seqserve.Transducer)


@pytest.mark.parametrize("case", CASES)
def test_answers_are_the_same_bytes(make_app: Callable[..., Flask], case: str) -> None:
    path, body, call = CASES[case]
    reply = ask(make_app, path, body)
    assert reply.status_code == 200
    assert reply.data.endswith(b',"results":' + msgspec.json.encode(call()) + b"}")


REFUSED: dict[str, tuple[str, dict[str, Any], Callable[[], Any]]] = {
    "label": ("/v1/tag", {"text": TEXTS, "labels": ["XYZ"]}, lambda: tagger().tag(TEXTS, labels=["XYZ"])),
    "labels of a wrong type": ("/v1/tag", {"text": TEXTS, "labels": 3}, lambda: tagger().tag(TEXTS, labels=3)),  # type: ignore[call-overload]
    "min_score": ("/v1/tag", {"text": TEXTS, "min_score": 2}, lambda: tagger().tag(TEXTS, min_score=2)),
    "include": ("/v1/tag", {"text": TEXTS, "include": ["x"]}, lambda: tagger().tag(TEXTS, include=["x"])),  # type: ignore[list-item]
    "empty token": ("/v1/tag", {"tokens": [["a"], ["b", ""]]}, lambda: tagger().tag_tokens([["a"], ["b", ""]])),
    "no text": ("/v1/tag", {"text": []}, lambda: tagger().tag([])),
    "no text to classify": ("/v1/classify", {"text": []}, lambda: classifier().classify([])),
    "no token": ("/v1/classify", {"text": ["a", " "]}, lambda: classifier().classify(["a", " "])),
    "too long": ("/v1/classify", {"text": ["a " * 999]}, lambda: classifier().classify(["a " * 999])),
    "beams": ("/v1/transduce", {"text": TEXTS, "beams": 17}, lambda: transducer().transduce(TEXTS, beams=17)),
    "max_tokens": (
        "/v1/transduce",
        {"text": TEXTS, "max_tokens": 0},
        lambda: transducer().transduce(TEXTS, max_tokens=0),
    ),
    "source too long": ("/v1/transduce", {"text": ["a " * 999]}, lambda: transducer().transduce(["a " * 999])),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_have_the_same_words(make_app: Callable[..., Flask], case: str) -> None:
    path, body, call = REFUSED[case]
    reply = ask(make_app, path, body)
    with pytest.raises(InvalidRequestError) as caught:
        call()
    assert caught.value.code == reply.json["code"]
    assert [field.detail for field in caught.value.fields] == [error["detail"] for error in reply.json["errors"]]


def test_a_score_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="/min_score: "):
        tagger().tag(TEXTS, min_score=float("nan"))
