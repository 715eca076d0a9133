"""POST /v1/sample around toy models: what is refused, and what fails."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from seqserve.service.engine.models import LanguageModel
from seqserve.vocabulary.tokens import FIRST_ID
from tests.service.toys import open_toy
from tests.toy_language_model import TOKENS

MakeApp = Callable[..., Flask]

WORD = {"model": "toy-word", "seed": 3}


@pytest.fixture
def client(make_app: MakeApp) -> FlaskClient:
    """A server with a tagger, a word model and a character model of running text."""
    return make_app(models=[open_toy(), open_toy("character", ends_sentences=False)]).test_client()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no samples": ({"n": 0}, "/n"),
    "too many samples": ({"n": 65}, "/n"),
    "no tokens": ({"max_tokens": 0}, "/max_tokens"),
    "too many tokens": ({"max_tokens": 4097}, "/max_tokens"),
    "min_tokens below 0": ({"min_tokens": -1}, "/min_tokens"),
    "min_tokens above max_tokens": ({"min_tokens": 6, "max_tokens": 5}, "/min_tokens"),
    "temperature below 0": ({"temperature": -0.1}, "/temperature"),
    "temperature a string": ({"temperature": "1"}, "/temperature"),
    "top_k below 0": ({"top_k": -1}, "/top_k"),
    "top_k too large": ({"top_k": 2**31}, "/top_k"),
    "top_p 0": ({"top_p": 0}, "/top_p"),
    "top_p above 1": ({"top_p": 1.1}, "/top_p"),
    "min_p above 1": ({"min_p": 1.1}, "/min_p"),
    "repetition_penalty 0": ({"repetition_penalty": 0}, "/repetition_penalty"),
    "stop a string": ({"stop": "a"}, "/stop"),
    "empty stop string": ({"stop": ["a", ""]}, "/stop/1"),
    "long stop string": ({"stop": ["a" * 257]}, "/stop/0"),
    "nine stop strings": ({"stop": ["a"] * 9}, "/stop"),
    "banned word that is unknown": ({"banned": ["cat", "dog"]}, "/banned/1"),
    "banned word of two": ({"banned": ["the cat"]}, "/banned/0"),
    "banned <EOS>": ({"banned": ["<EOS>"]}, "/banned/0"),
    "banned <UNK>": ({"banned": ["<UNK>"]}, "/banned/0"),
    "banned nothing": ({"banned": [""]}, "/banned/0"),
    "two characters banned": ({"banned": ["ab"], "model": "toy-character"}, "/banned/0"),
    "too many banned": ({"banned": ["cat"] * 1025}, "/banned"),
    "seed below 0": ({"seed": -1}, "/seed"),
    "seed of 65 bits": ({"seed": 2**64}, "/seed"),
    "huge seed": ({"seed": 10**30}, "/seed"),
    "seed a fraction": ({"seed": 1.5}, "/seed"),
    "unknown include": ({"include": ["logits"]}, "/include/0"),
    "stream no truth value": ({"stream": "yes"}, "/stream"),
    "unknown field": ({"beams": 4}, "/beams"),
    "prompt a list": ({"prompt": ["a"]}, "/prompt"),
    "everything banned": ({"banned": list(TOKENS["word"]), "ignore_eos": True}, "/banned"),
    "everything banned at first": ({"banned": list(TOKENS["word"]), "min_tokens": 1}, "/banned"),
    "every character banned": ({"banned": list(TOKENS["character"]), "model": "toy-character"}, "/banned"),
}


@pytest.mark.parametrize(("extra", "pointer"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("streams", [False, True], ids=["at once", "streamed"])
def test_what_is_not_acceptable(client: FlaskClient, extra: dict[str, Any], pointer: str, streams: bool) -> None:
    reply = client.post("/v1/sample", json={"model": "toy-word", "stream": streams} | extra)
    assert (reply.status_code, reply.json["code"]) == (422, "invalid_request")
    assert [field["pointer"] for field in reply.json["errors"]] == [pointer]


def test_every_banned_word_that_is_unknown_is_named(client: FlaskClient) -> None:
    reply = client.post("/v1/sample", json={"model": "toy-word", "banned": ["dog", "cat", "cow"]})
    assert [field["pointer"] for field in reply.json["errors"]] == ["/banned/0", "/banned/2"]


def test_a_prompt_may_be_as_long_as_the_limit(make_app: MakeApp) -> None:
    client = make_app(models=[open_toy()], max_prompt_tokens=5).test_client()
    assert client.post("/v1/sample", json={**WORD, "prompt": "the dog " * 2 + "x"}).status_code == 200
    reply = client.post("/v1/sample", json={**WORD, "prompt": "the " * 6})
    assert (reply.status_code, reply.json["code"]) == (422, "text_too_long")
    assert [field["pointer"] for field in reply.json["errors"]] == ["/prompt"]
    assert "5" in reply.json["detail"]


def test_a_tagger_cannot_sample(client: FlaskClient) -> None:
    reply = client.post("/v1/sample", json={"model": "tiny-ner"})
    assert (reply.status_code, reply.json["code"]) == (409, "task_mismatch")


def test_a_failing_model_is_an_internal_error(make_app: MakeApp) -> None:
    model = broken_model()
    client = make_app(models=[model]).test_client()
    reply = client.post("/v1/sample", json=WORD)
    assert (reply.status_code, reply.json["code"]) == (500, "internal")


def test_a_stream_that_fails_ends_with_an_error_and_is_not_done(make_app: MakeApp) -> None:
    client = make_app(models=[broken_model(after=3)]).test_client()
    reply = client.post("/v1/sample", json={**WORD, "stream": True, "ignore_eos": True})
    assert reply.status_code == 200
    *_, last, rest = reply.data.decode().split("\n\n")
    error = json.loads(last.removeprefix("data: "))["error"]
    assert (error["status"], error["code"], rest) == (500, "internal", "")
    assert "melted" not in reply.data.decode()


def test_a_stream_beyond_its_deadline_ends_with_an_error(make_app: MakeApp) -> None:
    client = make_app(models=[open_toy()], deadline_s=0.000001).test_client()
    assert client.post("/v1/sample", json=WORD).status_code == 504
    reply = client.post("/v1/sample", json={**WORD, "stream": True})
    assert json.loads(reply.data.decode().split("\n\n")[-2].removeprefix("data: "))["error"]["status"] == 504


def broken_model(after: int = 0) -> LanguageModel:
    """A toy whose step graph fails after some runs."""
    model = open_toy()
    run, count = model.bundle.run_step, iter(range(10_000))

    def fail(batch: Any) -> Any:
        if next(count) >= after:
            raise RuntimeError("the graph melted")
        return run(batch)

    model.bundle.run_step = fail  # type: ignore[method-assign]
    return model


def test_the_toy_has_the_vocabulary_that_these_tests_are_about() -> None:
    assert len(open_toy().bundle.vocabulary) == FIRST_ID + len(TOKENS["word"])
