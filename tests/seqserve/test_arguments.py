"""Arguments of the public classes that are no plain values of JSON: what is taken, and what is refused."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import seqserve
from seqserve.errors import BundleError, InvalidRequestError, SeqserveError
from seqserve.reading import plain

BUNDLES = Path(__file__).parents[1] / "fixtures" / "bundles"


class Subclass(str):
    """A string of another type, as some libraries return them."""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.array([["a", "b"]]), [["a", "b"]]),
        (iter(["a", "b"]), ["a", "b"]),
        ({"x": ("a",)}, {"x": ["a"]}),
        (seqserve.Candidate(text=Subclass("a")), {"text": "a", "score": 0.0}),
        (b"ab", b"ab"),
    ],
    ids=repr,
)
def test_values_of_other_types_become_plain(value: object, expected: object) -> None:
    found = plain(value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("text", [np.str_("old"), Subclass("old")], ids=["numpy", "subclass"])
def test_a_subclass_of_str_gives_an_answer_that_can_be_encoded(text: str) -> None:
    model = seqserve.load(BUNDLES / "tiny-lm", seqserve.LanguageModel)
    ranking = model.rank(None, [text, seqserve.Candidate(text=text, score=-1)])
    assert [item["text"] for item in msgspec.json.decode(msgspec.json.encode(ranking))] == ["old", "old"]


def test_options_may_be_any_iterable_and_numbers_of_numpy() -> None:
    model = seqserve.load(BUNDLES / "tiny-ner", seqserve.Tagger)
    texts = ["Ann Ross lives in Rome."]
    expected = model.tag(texts, labels=["PER"], min_score=0.5, include=["tokens"])
    assert model.tag(texts, labels=iter(["PER"]), min_score=np.float32(0.5), include=iter(["tokens"])) == expected  # type: ignore[arg-type]


def test_an_option_that_is_not_there_is_named() -> None:
    model = seqserve.load(BUNDLES / "tiny-lm", seqserve.LanguageModel)
    with pytest.raises(InvalidRequestError, match=r"\AObject contains unknown field `beams`\Z"):
        model.sample(beams=3)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("models", "error", "message"),
    [
        (3, InvalidRequestError, "/models: Expected `str`, got `int`"),
        ([None], InvalidRequestError, "/models/0: Expected `str`, got `null`"),
        ([b"a"], InvalidRequestError, "/models/0: Expected `str`, got `bytes`"),
        ("a\0", BundleError, "'a\\x00' is no name of a folder"),
        (["\ud800"], BundleError, "'\\ud800' is no name of a folder"),
    ],
    ids=ascii,
)
def test_what_is_no_folder_of_models_is_refused(models: Any, error: type[SeqserveError], message: str) -> None:
    with pytest.raises(error) as caught:
        seqserve.load("tiny-ner", models=models)
    assert str(caught.value) == message


@pytest.mark.parametrize("provider", [None, ["cpu"], {}, "gpu"], ids=repr)
def test_a_provider_that_does_not_exist_is_refused(provider: Any) -> None:
    with pytest.raises(BundleError, match=r"\Aprovider must be one of cpu, cuda, not "):
        seqserve.load(BUNDLES / "tiny-ner", provider=provider)


@pytest.mark.parametrize("expected", ["Tagger", None, 3], ids=repr)
def test_what_is_no_class_is_not_expected(expected: Any) -> None:
    with pytest.raises(BundleError, match=rf"1: is a tagger, not a {expected}\Z"):
        seqserve.load(BUNDLES / "tiny-ner", expected)


def test_a_kind_has_its_article() -> None:
    with pytest.raises(BundleError, match=r"1: is an encoder-decoder, not a tagger\Z"):
        seqserve.load(BUNDLES / "tiny-translate", seqserve.Tagger)


@pytest.mark.parametrize("send", [pickle.dumps, copy.copy, copy.deepcopy], ids=lambda send: send.__name__)
def test_a_model_says_that_it_cannot_be_pickled_or_copied(send: Callable[[object], object]) -> None:
    with pytest.raises(SeqserveError, match="The model 'tiny-ner' cannot be pickled or copied: load it where it is"):
        send(seqserve.load(BUNDLES / "tiny-ner"))


def test_a_class_is_not_made_of_a_folder() -> None:
    with pytest.raises(SeqserveError, match=r"\AA Tagger is opened by seqserve.load, not made of 'models/ner-en'.\Z"):
        seqserve.Tagger("models/ner-en")  # type: ignore[arg-type]
