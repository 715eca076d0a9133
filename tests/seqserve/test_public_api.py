"""`seqserve.load` and what the public classes of all kinds have in common."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import seqserve
from seqserve.errors import BundleError, InvalidRequestError, ModelNotFoundError, SeqserveError

BUNDLES = Path(__file__).parents[1] / "fixtures" / "bundles"
TEXTS = ["Ann Ross lives in Rome.", "", "Teddy Roosevelt was a great President. Bob left."]

Ask = Callable[[Any, Any], Any]
KINDS: dict[str, tuple[type[Any], Ask]] = {
    "tiny-ner": (seqserve.Tagger, lambda model, texts: model.tag(texts, include=["tag_probs"])),
    "tiny-classifier": (seqserve.Classifier, lambda model, texts: model.classify(texts)),
    "tiny-lm": (seqserve.LanguageModel, lambda model, texts: model.score(texts, include=["tokens"], top=2)),
    "tiny-translate": (seqserve.Transducer, lambda model, texts: model.transduce(texts, beams=3)),
}
kinds = pytest.mark.parametrize("name", KINDS)


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQSERVE_MODELS", str(BUNDLES))


@kinds
def test_a_name_opens_the_class_of_its_kind(name: str) -> None:
    model = seqserve.load(name)
    assert type(model) is KINDS[name][0]
    assert (model.name, model.version, model.manifest.name) == (name, "1", name)
    assert repr(model) == f"<{KINDS[name][0].__name__} {name} 1>"


def test_a_folder_of_versions_opens_the_newest(tmp_path: Path) -> None:
    for version in ("9", "10"):
        folder = tmp_path / "tiny-ner" / version
        shutil.copytree(BUNDLES / "tiny-ner" / "1", folder)
        manifest = folder / "manifest.json"
        manifest.write_text(re.sub(r'"version": "1"', f'"version": "{version}"', manifest.read_text()))
    assert seqserve.load(tmp_path / "tiny-ner").version == "10"
    assert seqserve.load(tmp_path / "tiny-ner" / "9").version == "9"
    assert seqserve.load("tiny-ner", models=tmp_path).version == "10"


def test_a_class_may_be_expected() -> None:
    assert seqserve.load("tiny-ner", seqserve.Tagger).labels == ["PER", "LOC", "ORG"]
    with pytest.raises(BundleError, match=r"tiny-ner/1: is a tagger, not a classifier\Z"):
        seqserve.load("tiny-ner", seqserve.Classifier)


def test_a_name_whose_folder_is_passed_over_says_why(tmp_path: Path) -> None:
    shutil.copytree(BUNDLES / "tiny-lm", tmp_path / "tiny-lm")
    copy = shutil.copytree(BUNDLES / "tiny-ner" / "1", tmp_path / "tiny-ner" / "12")
    with pytest.raises(ModelNotFoundError) as caught:
        seqserve.load("tiny-ner", models=tmp_path)
    reason = f"{copy} is passed over: its manifest has the version '1' instead of '12'"
    assert str(caught.value) == f"There is no model 'tiny-ner'; there are: tiny-lm; {reason}."


def test_an_unknown_name_is_told_the_names_there_are() -> None:
    with pytest.raises(ModelNotFoundError, match=r"\AThere is no model 'none'; there are: tiny-.*tiny-translate\.\Z"):
        seqserve.load("none")


@pytest.mark.parametrize("model", ["no/such/folder", Path("none"), "\0", "\ud800/", ""], ids=repr)
def test_what_is_no_folder_is_refused_in_one_sentence(model: str | Path) -> None:
    with pytest.raises(SeqserveError) as caught:
        seqserve.load(model)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("model", [None, b"tiny-ner", 3])
def test_a_model_of_a_wrong_type_is_refused(model: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"\A/model: Expected `str`, got `\w+`\Z"):
        seqserve.load(model)


@kinds
def test_a_closed_model_says_so(name: str) -> None:
    with seqserve.load(name) as model:
        KINDS[name][1](model, ["I am happy."])
    with pytest.raises(SeqserveError, match=f"The model '{name}' is closed."):
        KINDS[name][1](model, ["I am happy."])
    assert model.name == name


@kinds
def test_an_iterator_ends_with_an_error_once_the_model_is_closed(name: str) -> None:
    model = seqserve.load(name)
    answers = KINDS[name][1](model, iter(["I am happy."] * 3))
    next(answers)
    model.close()
    with pytest.raises(SeqserveError, match=f"The model '{name}' is closed."):
        next(answers)


def test_a_stream_of_a_sample_ends_with_an_error_once_the_model_is_closed() -> None:
    model = seqserve.load("tiny-lm", seqserve.LanguageModel)
    pieces = model.stream("the", seed=1)
    model.close()
    with pytest.raises(SeqserveError, match=r"The model 'tiny-lm' is closed\."):
        next(pieces)


@kinds
def test_a_list_gives_a_list_and_an_iterable_an_iterator(name: str) -> None:
    model, ask = seqserve.load(name), KINDS[name][1]
    texts = ["I am happy.", "Where is the tree?"] * 300
    answers = ask(model, texts)
    assert isinstance(answers, list)
    streamed = ask(model, iter(texts))
    assert isinstance(streamed, Iterator)
    assert [*streamed] == answers
    assert ask(model, texts[:1]) == answers[:1]


@kinds
def test_an_iterator_reads_a_bounded_number_ahead(name: str) -> None:
    taken: list[int] = []

    def endless() -> Iterator[str]:
        while True:
            taken.append(1)
            yield "I am happy."

    next(KINDS[name][1](seqserve.load(name), endless()))
    assert len(taken) <= 256


@kinds
@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one", "/texts: One text must stand in a list, as [text]."),
        ([], "/texts: At least one text is needed."),
        (None, "/texts: Expected an iterable of `str`, got `NoneType`."),
        (b"one", "/texts: Expected an iterable of `str`, got `bytes`."),
        (["I am happy.", b"two"], "/texts/1: Expected `str`, got `bytes`"),
        (["I am happy.", None], "/texts/1: Expected `str`, got `null`"),
        (["a\ud800"], "/texts/0: Character 1 is a lone surrogate, which no text in UTF-8 holds."),
    ],
    ids=["str", "empty", "None", "bytes", "bytes in it", "None in it", "surrogate"],
)
def test_what_is_no_list_of_texts_is_refused(name: str, texts: Any, message: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        KINDS[name][1](seqserve.load(name), texts)
    assert str(caught.value) == message


@kinds
def test_many_threads_get_their_own_answers(name: str) -> None:
    model, ask = seqserve.load(name), KINDS[name][1]
    texts = [f"{word} is {'very ' * (length % 8)}old." for length, word in enumerate(["He", "Tom", "Ann", "Rome"] * 4)]
    alone = [ask(model, [text]) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        together = [*pool.map(lambda text: ask(model, [text]), texts * 4)]
    assert together == alone * 4


def test_import_is_light_and_calls_start_no_thread() -> None:
    code = (
        "import sys, threading, seqserve\n"
        "assert not {'numpy', 'onnxruntime', 'msgspec'} & set(sys.modules)\n"
        "assert dir(seqserve) == sorted(seqserve.__all__)\n"
        "model = seqserve.load('tiny-ner')\n"
        "model.tag(['Ann Ross came.'] * 100)\n"
        "assert threading.active_count() == 1\n"
        "assert not {'flask', 'gevent', 'torch'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ}, cwd=Path(__file__).parents[2])


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Taggers'"):
        _ = seqserve.Taggers  # type: ignore[attr-defined]
