"""What a tagger reads before it learns: files that hold sentences, labels that occur."""

import pytest

from seqserve.training.config import ConfigError
from seqserve.training.reading.lines import TextError
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


def test_a_label_that_the_map_makes_is_one_that_occurs(capsys):
    corpus = {"file": TWENTY, "map": {"PER": "NAME", "ORG": "NAME", "LOC": "NAME"}}
    TaggerTask(tiny_config(data={"labels": ["NAME"], "train": [corpus], "dev": [corpus]}))
    assert capsys.readouterr().err == ""


def test_labels_that_become_o_are_said_once(capsys):
    corpus = {"file": TWENTY, "map": {"PER": "PER"}}
    TaggerTask(tiny_config(data={"labels": ["PER"], "train": [corpus], "dev": [{"file": TWENTY}]}))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("read as O, as data.labels or a file's map does not name them: ")
    assert "LOC (20 times), ORG (10 times)" in line
