"""A resumed run reads the files that it began with, or says which has changed."""

import json
import shutil

import pytest

from seqserve.loading import load_bundle
from seqserve.training.checkpoints import RunError
from seqserve.training.corpora import sha256_of
from seqserve.training.data_digests import DIGESTS, digests_of, named_files
from seqserve.training.export_run import export_run
from seqserve.training.runs import fit, resume
from tests.training.tiny import FIXTURES, tiny_config
from tests.training.tiny_classifier import QUESTIONS, tiny_classifier_config
from tests.training.tiny_language import tiny_language_config
from tests.training.tiny_transducer import tiny_transducer_config


def tagger(folder):
    for name in ("twenty.conll", "vectors.txt"):
        shutil.copy(FIXTURES / name, folder)
    file = {"file": str(folder / "twenty.conll")}
    vectors = {"words": {"vectors": [str(folder / "vectors.txt")], "trained_dim": 8, "min_count": 1}}
    return tiny_config(data={"train": [file], "dev": [file]}, model=vectors, loop={"epochs": 1})


def classifier(folder):
    shutil.copy(QUESTIONS, folder)
    file = {"file": str(folder / QUESTIONS.name)}
    return tiny_classifier_config(data={"train": [file], "dev": [file]}, loop={"epochs": 1})


KINDS = {
    "twenty.conll": tagger,
    "vectors.txt": tagger,
    "questions.tsv": classifier,
    "text.txt": tiny_language_config,
    "pairs.tsv": lambda folder: tiny_transducer_config(folder, loop={"epochs": 1}),
}


@pytest.mark.parametrize(("name", "make"), KINDS.items(), ids=KINDS)
def test_a_run_is_not_resumed_with_other_data(tmp_path, name, make):
    fit(make(tmp_path), tmp_path / "run")
    path = tmp_path / name
    before = path.read_bytes()
    path.write_bytes(before + before.splitlines(keepends=True)[-1])
    with pytest.raises(RunError, match=rf"\A\S*{name}: has changed since the run in \S*run began; [^\n]+\Z"):
        resume(tmp_path / "run")
    path.write_bytes(before)
    resume(tmp_path / "run")


def test_a_run_of_an_earlier_version_is_resumed(tmp_path):
    fit(tagger(tmp_path), tmp_path / "run")
    (tmp_path / "run" / DIGESTS).unlink()
    (tmp_path / "twenty.conll").write_text((FIXTURES / "twenty.conll").read_text().replace("\n\n", "\n\n\n"))
    resume(tmp_path / "run")


def test_damaged_checksums_are_named(tmp_path):
    fit(tagger(tmp_path), tmp_path / "run")
    (tmp_path / "run" / DIGESTS).write_text("{")
    with pytest.raises(RunError, match=r"data\.json: is not JSON"):
        resume(tmp_path / "run")


def test_the_bundle_names_what_was_read_and_not_what_is_there_now(tmp_path):
    fit(tagger(tmp_path), tmp_path / "run")
    path = tmp_path / "twenty.conll"
    digest = sha256_of(path)
    path.write_text("changed\tO\n")
    data = load_bundle(export_run(tmp_path / "run", tmp_path / "models", card=None)).manifest.data
    assert {source.sha256["twenty.conll"] for source in data if source.name == "twenty"} == {digest}


def test_every_file_of_a_configuration_is_found(tmp_path):
    config = tagger(tmp_path)
    assert set(named_files(config)) == {str(tmp_path / "twenty.conll"), str(tmp_path / "vectors.txt")}


def test_a_folder_of_vectors_changes_with_each_of_its_files(tmp_path):
    (tmp_path / "vectors.npy").write_bytes(b"1")
    (tmp_path / "words.tsv").write_bytes(b"the\t0\n")
    config = tiny_config(model={"words": {"vectors": [str(tmp_path)]}})
    before = digests_of(config)[str(tmp_path)]
    (tmp_path / "words.tsv").write_bytes(b"of\t0\n")
    assert digests_of(config)[str(tmp_path)] != before


def test_a_folder_of_annotations_changes_with_each_of_its_files(tmp_path):
    (tmp_path / "a.txt").write_text("Ann ran")
    (tmp_path / "a.ann").write_text("T1\tPER 0 3\tAnn\n")
    config = tiny_config(data={"dev": [{"file": str(tmp_path)}]})
    before = digests_of(config)[str(tmp_path)]
    (tmp_path / "a.ann").write_text("")
    assert digests_of(config)[str(tmp_path)] != before


def test_a_known_data_set_is_read_by_its_registered_checksum():
    digests = digests_of(tiny_config(data={"dev": [{"file": "wnut17/dev.conll"}]}))
    assert len(digests["wnut17/dev.conll"]) == 64
    assert json.dumps(digests)
