"""GET /v1/models: each task says what applies to it."""

from collections.abc import Callable

from flask import Flask

from tests.service.toys import open_toy


def test_a_language_model(make_app: Callable[..., Flask]) -> None:
    client = make_app(models=[open_toy("character", ends_sentences=False)], max_texts=50).test_client()
    found = client.get("/v1/models/toy-character").json
    assert (found["task"], found["cell"], found["level"], found["vocabulary_size"], found["ends_sentences"]) == (
        "language-model",
        "rnn",
        "character",
        8,
        False,
    )
    assert found["labels"] == []
    assert found["limits"] == {
        "max_tokens": 20_000,
        "max_prompt_tokens": 4096,
        "max_texts": 50,
        "max_candidates": 50,
    }
    assert [model["id"] for model in client.get("/v1/models").json["data"]] == ["tiny-ner", "toy-character"]


def test_a_tagger_says_nothing_of_language_models(make_app: Callable[..., Flask]) -> None:
    found = make_app().test_client().get("/v1/models/tiny-ner").json
    assert list(found["limits"]) == ["max_word_chars", "max_sentence_tokens", "max_tokens", "max_texts"]
    assert not {"level", "vocabulary_size", "ends_sentences"} & set(found)


def test_the_model_that_answers_by_default_is_marked(make_app: Callable[..., Flask]) -> None:
    client = make_app(models=[open_toy("character", ends_sentences=False), open_toy()]).test_client()
    found = {model["id"]: model["default"] for model in client.get("/v1/models").json["data"]}
    assert found == {"tiny-ner": True, "toy-character": True, "toy-word": False}
