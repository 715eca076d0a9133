"""What a tagger reads before it learns: files that hold sentences, labels that occur."""

import pytest

from seqserve.training.config import ConfigError
from seqserve.training.reading.lines import TextError
from seqserve.training.runs import fit, resume
from seqserve.training.taggers.task import TaggerTask
from tests.training.tiny import FIXTURES, tiny_config

TWENTY = str(FIXTURES / "twenty.conll")


@pytest.mark.parametrize("part", ["train", "dev"])
def test_a_file_without_sentences_is_named(tmp_path, part):
    (tmp_path / "empty.conll").write_text("\n")
    with pytest.raises(TextError, match=r"empty\.conll: it holds no sentence\Z"):
        TaggerTask(tiny_config(data={part: [{"file": str(tmp_path / "empty.conll")}]}))


def test_a_label_that_no_training_file_holds_is_named():
    message = "data.labels: FOO never occurs in the training files, which hold LOC, ORG, PER; `map` renames"
    with pytest.raises(ConfigError, match=message):
        TaggerTask(tiny_config(data={"labels": ["PER", "FOO"]}))


@pytest.mark.parametrize(("tag", "held"), [("B-PERSON", "PERSON"), ("O", "no label")])
def test_a_dev_file_that_can_choose_no_epoch_is_named(tmp_path, tag, held):
    (tmp_path / "dev.conll").write_text(f"Ann\t{tag}\nran\tO\n")
    dev = {"file": str(tmp_path / "dev.conll")}
    message = rf"dev\.conll: holds no span of PER, ORG, LOC and can choose no epoch; it holds {held}; `map` renames"
    with pytest.raises(ConfigError, match=message):
        TaggerTask(tiny_config(data={"dev": [dev]}))
    TaggerTask(tiny_config(data={"dev": [dev]}, loop={"keep": "last"}))
    TaggerTask(tiny_config(data={"dev": [{**dev, "weight": 0.0}, {"file": TWENTY}]}))


def test_a_label_that_the_map_makes_is_one_that_occurs():
    corpus = {"file": TWENTY, "map": {"PER": "NAME", "ORG": "NAME", "LOC": "NAME"}}
    task = TaggerTask(tiny_config(data={"labels": ["NAME"], "train": [corpus], "dev": [corpus]}))
    assert not [note for note in task.notes if "read as O" in note]


def test_labels_that_become_o_are_said_once():
    corpus = {"file": TWENTY, "map": {"PER": "PER"}}
    task = TaggerTask(tiny_config(data={"labels": ["PER"], "train": [corpus], "dev": [{"file": TWENTY}]}))
    assert task.notes[0].startswith("read as O, as data.labels or a file's map does not name them: ")
    assert "LOC (20 times), ORG (10 times)" in task.notes[0]


def test_sentences_that_repeat_others_are_counted(tmp_path):
    (tmp_path / "train.conll").write_text("Ann\tB-PER\n\nAnn\tO\n\nBob\tB-PER\nran\tO\n")
    (tmp_path / "dev.conll").write_text("Ann\tB-PER\n\nEve\tB-PER\n")
    files = {part: [{"file": str(tmp_path / f"{part}.conll")}] for part in ("train", "dev")}
    assert TaggerTask(tiny_config(data={"labels": ["PER"], **files})).notes == [
        "training files: 1 of 3 sentences repeat another one",
        "dev.conll: 1 of 2 sentences are in the training files too",
    ]


def test_what_the_data_repeats_is_said_when_a_run_begins_and_not_again(tmp_path, capsys):
    fit(tiny_config(loop={"epochs": 1}), tmp_path)
    assert capsys.readouterr().err == "twenty.conll: 20 of 20 sentences are in the training files too\n"
    resume(tmp_path)
    assert capsys.readouterr().err == ""


def test_annotations_are_read_on_the_tokens_of_the_service_and_what_does_not_fit_is_noted(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text('{"text": "Jean-Luc can\'t stay.", "label": [[0, 7, "PER"]]}\n')
    config = tiny_config(data={"labels": ["PER"], "train": [{"file": str(path)}]})
    task = TaggerTask(config)
    assert [task.tags[tag] for tag in task.train[0][0].tags] == ["B-PER", "I-PER", "E-PER", "O", "O", "O", "O"]
    assert task.notes[0].splitlines() == [
        f"{path}:",
        "spans with an edge inside a token: 1 (widened)",
        f"  {path}, line 1: PER 'Jean-Lu' in 'Jean-Luc'",
    ]


def test_a_file_may_refuse_spans_with_an_edge_inside_a_token(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text('{"text": "Romes", "label": [[0, 4, "LOC"]]}\n')
    with pytest.raises(TextError, match="line 1: LOC 'Rome' in 'Romes': a span with an edge inside a token"):
        TaggerTask(tiny_config(data={"train": [{"file": str(path), "unaligned": "refuse"}]}))


def test_bilou_is_learned_as_bioes(tmp_path):
    path = tmp_path / "train.conll"
    path.write_text("Ann B-PER\nLee L-PER\nmet O\nBob U-PER\n")
    task = TaggerTask(tiny_config(data={"labels": ["PER"], "train": [{"file": str(path)}]}))
    assert [task.tags[tag] for tag in task.train[0][0].tags] == ["B-PER", "E-PER", "O", "S-PER"]
