"""export_tagger writes a whole bundle or nothing."""

import dataclasses
import json

import msgspec
import numpy as np
import pytest

from seqserve.errors import BundleError
from seqserve.loading import load_bundle, verify_bundle
from seqserve.training.export import folder as folders
from seqserve.training.taggers.bundle import Card, TrainedTagger, export_tagger
from tests.training.export.taggers import NUM_CHARACTERS, NUM_WORDS, random_tagger, torch_answers, weights_of

FORMS = tuple(f"word{number:02}" for number in range(NUM_WORDS - 2))
LETTERS = tuple(sorted("abcdefghijklmnopqrstuvwxyz0123456789"))[: NUM_CHARACTERS - 2]
GOLDEN = [["word01", "never", "seen"], ["word07"], ["word02", "word40", "word03", "word11", "word12"]]


@pytest.fixture
def card(tmp_path):
    curves = tmp_path / "run" / "curves.png"
    curves.parent.mkdir()
    curves.write_bytes(b"a picture")
    return Card(
        name="tiny",
        version="3",
        created="2026-01-02",
        description="random weights",
        readme="# tiny\n",
        licence="MIT",
        attribution=["somebody"],
        metrics={"dev": {"f1": 0.5}},
        curves=curves,
    )


def trained_tagger(**options):
    tagger, _ = random_tagger(**options)
    trained = TrainedTagger(
        weights=weights_of(tagger),
        forms=FORMS,
        characters=LETTERS,
        labels=("PER", "LOC", "ORG"),
        scheme=options.get("scheme", "BIOES"),
        max_word_chars=9,
        max_sentence_tokens=20,
    )
    return tagger, trained


@pytest.mark.parametrize("options", [{}, {"characters": "lstm", "scheme": "BIO", "num_layers": 1}], ids=str)
def test_the_bundle_loads_and_answers_as_torch_does(tmp_path, card, options):
    tagger, trained = trained_tagger(**options)
    folder = tmp_path / "models" / "tiny" / "3"
    manifest = export_tagger(folder, trained, card, GOLDEN, table_dtype="float32")
    bundle = load_bundle(folder)
    assert bundle.manifest == manifest == verify_bundle(folder)
    assert bundle.reproducible
    batch = bundle.encode(GOLDEN)
    tags, marginals = torch_answers(tagger, batch.feeds())
    for row, answer in enumerate(bundle.run(batch)):
        length = len(GOLDEN[row])
        assert answer.tags == tuple(bundle.tags[tag] for tag in tags[row, :length])
        np.testing.assert_allclose(answer.tag_probs, marginals[row, :length], atol=1e-5)


def test_the_folder_holds_what_the_manifest_names(tmp_path, card):
    folder = tmp_path / "models" / "tiny" / "3"
    manifest = export_tagger(folder, trained_tagger()[1], card, GOLDEN)
    named = {entry.file for entry in manifest.files()} | {"manifest.json"}
    assert {path.name for path in folder.iterdir()} == named
    assert {"README.md", "curves.png", "labels.txt", "words.txt", "chars.txt"} < named
    assert [path.name for path in folder.parent.iterdir()] == ["3"], "something temporary was left behind"


def test_the_manifest_describes_the_model(tmp_path, card):
    manifest = export_tagger(tmp_path / "3", trained_tagger()[1], card, GOLDEN)
    architecture = manifest.architecture
    assert (architecture.num_layers, architecture.hidden_size, architecture.characters) == (2, 9, "cnn")
    parameters = sum(p.numel() for p in random_tagger()[0].parameters())
    frozen = sum(buffer.numel() for name, buffer in random_tagger()[0].named_buffers() if name.endswith("vectors"))
    assert architecture.num_parameters == parameters + frozen
    assert manifest.vocabularies.words.size == NUM_WORDS
    assert manifest.limits.max_word_chars == 9
    assert manifest.metrics == {"dev": {"f1": 0.5}}


def test_golden_answers_are_recorded_for_every_sentence(tmp_path, card):
    export_tagger(tmp_path / "3", trained_tagger()[1], card, GOLDEN)
    golden = json.loads((tmp_path / "3" / "golden.json").read_text())
    assert golden["sentences"] == GOLDEN
    assert [len(row) for row in golden["span_probs"]] == [3, 1, 5]


def test_an_existing_bundle_is_never_touched(tmp_path, card):
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "mine").write_text("x")
    with pytest.raises(FileExistsError, match="exists already"):
        export_tagger(tmp_path / "3", trained_tagger()[1], card, GOLDEN)
    assert [path.name for path in (tmp_path / "3").iterdir()] == ["mine"]


def test_a_bundle_that_does_not_load_is_never_there(tmp_path, card, monkeypatch):
    def refuse(folder):
        raise BundleError(f"{folder}: no")

    monkeypatch.setattr(folders, "load_bundle", refuse)
    with pytest.raises(BundleError):
        export_tagger(tmp_path / "tiny" / "3", trained_tagger()[1], card, GOLDEN)
    assert list((tmp_path / "tiny").iterdir()) == []


def test_a_bundle_whose_rows_change_with_the_batch_says_so(tmp_path, card, monkeypatch):
    loaded = folders.load_bundle
    monkeypatch.setattr(folders, "load_bundle", lambda folder: dataclasses.replace(loaded(folder), reproducible=False))
    manifest = export_tagger(tmp_path / "3", trained_tagger()[1], card, GOLDEN)
    assert not manifest.reproducible
    assert not verify_bundle(tmp_path / "3").reproducible


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"forms": FORMS[::-1]}, "forms are not in the order"),
        ({"forms": (*FORMS[:-1], FORMS[-2])}, "forms are not in the order"),
        ({"forms": FORMS[:-1]}, "maps 50 word ids, but there are 49"),
        ({"characters": LETTERS[:-1]}, "has 30 rows, but there are 29"),
        ({"characters": LETTERS[::-1]}, "characters are not in the order"),
        ({"labels": ("PER",)}, "for 13 tags, not 5"),
    ],
)
def test_parts_that_do_not_fit_are_refused(tmp_path, card, changes, message):
    trained = dataclasses.replace(trained_tagger()[1], **changes)
    with pytest.raises(ValueError, match=message):
        export_tagger(tmp_path / "3", trained, card, GOLDEN)
    assert not (tmp_path / "3").exists()


@pytest.mark.parametrize("golden", [[], [["word01"], []]])
def test_golden_sentences_must_be_there(tmp_path, card, golden):
    with pytest.raises(ValueError, match="golden"):
        export_tagger(tmp_path / "3", trained_tagger()[1], card, golden)


def test_the_manifest_is_stable(tmp_path, card):
    first, second = (export_tagger(tmp_path / name, trained_tagger()[1], card, GOLDEN) for name in ("a", "b"))
    assert msgspec.json.encode(first) == msgspec.json.encode(second)
