"""Loading a classifier: a good bundle opens and answers, and a bad one says in one sentence what is wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqserve.classifier.model import ClassifierBundle
from seqserve.errors import BundleError
from seqserve.loading import load_bundle, verify_bundle
from tests.seqserve.tiny_bundle import Spoiled

TINY_CLASSIFIER = Path(__file__).parents[2] / "fixtures" / "bundles" / "tiny-classifier" / "1"


@pytest.fixture(scope="module")
def classifier() -> ClassifierBundle:
    bundle = load_bundle(TINY_CLASSIFIER)
    assert isinstance(bundle, ClassifierBundle)
    return bundle


@pytest.fixture
def spoiled(tmp_path: Path) -> Spoiled:
    return Spoiled(tmp_path / "tiny-classifier" / "1", TINY_CLASSIFIER)


def test_it_is_verified_opened_and_reproducible(classifier: ClassifierBundle) -> None:
    assert classifier.manifest == verify_bundle(TINY_CLASSIFIER)
    assert classifier.reproducible
    assert {entry.file for entry in classifier.manifest.files()} == {
        path.name for path in TINY_CLASSIFIER.iterdir()
    } - {"manifest.json"}


def test_probabilities_sum_to_one_and_do_not_depend_on_company(classifier: ClassifierBundle) -> None:
    texts = [["where", "is", "the", "cat"], ["we", "eat"], ["qxzzv"], ["what"] * 12]
    together = classifier.classify(texts * 9)
    for text, probs in zip(texts * 9, together, strict=True):
        assert float(probs.sum()) == pytest.approx(1, abs=1e-6)
        assert probs.tobytes() == classifier.classify([text])[0].tobytes()


def test_it_knows_its_sentences(classifier: ClassifierBundle) -> None:
    found = classifier.classify([["where", "is", "the", "cat"], ["the", "cat", "is", "on", "the", "mat"]])
    assert [classifier.labels[int(np.argmax(probs))] for probs in found] == ["question", "statement"]


@pytest.mark.parametrize("tokens", [[], ["a"] * 13], ids=["none", "too many"])
def test_a_text_without_or_with_too_many_tokens_is_refused(classifier: ClassifierBundle, tokens: list[str]) -> None:
    with pytest.raises(ValueError, match=f"text 1 has {len(tokens)} tokens; a text has 1 to 12"):
        classifier.classify([["a"], tokens])


def test_one_token_more_than_the_limit_is_enough_to_see(classifier: ClassifierBundle) -> None:
    assert len(classifier.tokenize("a " * 1000)) == 13


EDITS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "words size": (lambda m: m["vocabularies"]["words"].update(size=5), r"words\.txt: has \d+ ids instead of the 5 in"),
    "labels": (lambda m: m["architecture"]["labels"].append("maybe"), "the outputs of the graph classifier must be"),
    "inputs": (lambda m: m["graphs"]["classifier"]["inputs"].pop(), "the inputs of the graph classifier must be"),
    "pooling": (lambda m: m["architecture"].update(pooling="sum"), "Invalid enum value 'sum'"),
    "short texts": (lambda m: m["limits"].update(max_tokens=1), "cannot be run: text 0 has 4 tokens"),
}


@pytest.mark.parametrize(("change", "reason"), EDITS.values(), ids=EDITS.keys())
def test_a_manifest_that_does_not_fit_its_files_is_refused(
    spoiled: Spoiled, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    spoiled.edit(change)
    with pytest.raises(BundleError, match=rf"\A\S*[^\n]*{reason}[^\n]*\Z"):
        load_bundle(spoiled.folder)


GOLDEN: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "probability": (
        lambda g: g["probs"][1].__setitem__(0, g["probs"][1][0] + 0.01),
        r"text 1 gives probabilities that differ by 0\.01, more than 0\.001",
    ),
    "labels": (lambda g: g["probs"][0].pop(), "one probability for each of the 2 labels"),
    "answers missing": (lambda g: g["probs"].pop(), "with one answer each"),
    "nothing": (lambda g: [g[name].clear() for name in g], "at least one text"),
    "field": (lambda g: g.update(more=[]), "unknown field `more`"),
}


@pytest.mark.parametrize(("change", "reason"), GOLDEN.values(), ids=GOLDEN.keys())
def test_recorded_answers_that_are_not_given_are_refused(
    spoiled: Spoiled, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    golden = json.loads((TINY_CLASSIFIER / "golden.json").read_bytes())
    change(golden)
    spoiled.replace("golden.json", json.dumps(golden).encode())
    with pytest.raises(BundleError, match=rf"\A\S*golden\.json: [^\n]*{reason}[^\n]*\Z"):
        load_bundle(spoiled.folder)


def test_a_vocabulary_larger_than_the_graph_is_refused(spoiled: Spoiled) -> None:
    content = (TINY_CLASSIFIER / "words.txt").read_bytes() + "\U0010fffd\n".encode()
    spoiled.replace("words.txt", content)
    spoiled.edit(lambda m: m["vocabularies"]["words"].update(size=content.count(b"\n") + 2))
    with pytest.raises(BundleError, match=r"\A\S*classifier\.onnx: cannot be run: [^\n]+\Z"):
        load_bundle(spoiled.folder)
