import pytest

from seqserve.training.config import ConfigError
from seqserve.training.language.setup import prepare_text
from seqserve.training.reading.token_ids import CorpusError
from seqserve.vocabulary.tokens import TokenVocabulary
from tests.training.tiny_language import tiny_language_config


def test_what_was_prepared_is_mapped_and_not_read_again(tmp_path):
    config = tiny_language_config(tmp_path)
    first = prepare_text(config, tmp_path / "run")
    (tmp_path / "text.txt").unlink()
    second = prepare_text(config, tmp_path / "run")
    assert second.vocabulary.tokens == first.vocabulary.tokens
    assert second.train.ids.tolist() == first.train.ids.tolist()
    assert second.valid.ends.tolist() == first.valid.ends.tolist()


def test_an_interrupted_preparation_is_done_again(tmp_path, monkeypatch):
    config = tiny_language_config(tmp_path)
    whole = prepare_text(config, tmp_path / "whole")

    def stop_half_way(self, path):
        path.write_text("the\n")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TokenVocabulary, "write", stop_half_way)
        with pytest.raises(KeyboardInterrupt):
            prepare_text(config, tmp_path / "run")
    again = prepare_text(config, tmp_path / "run")
    assert again.vocabulary.tokens == whole.vocabulary.tokens
    assert again.train.ids.tolist() == whole.train.ids.tolist()
    assert not list((tmp_path / "run" / "text").glob("*.part"))


@pytest.mark.parametrize("part", ["train", "valid"])
def test_a_text_without_tokens_is_named(tmp_path, part):
    (tmp_path / "empty.txt").write_text("\n\n")
    config = tiny_language_config(tmp_path, data={part: [{"file": str(tmp_path / "empty.txt")}]})
    with pytest.raises(CorpusError, match=r"empty\.txt: it holds no tokens"):
        prepare_text(config, tmp_path / "run")


def test_a_valid_text_that_measures_nothing_is_refused(tmp_path):
    (tmp_path / "valid.txt").write_text("zzz\n")
    data = {"valid": [{"file": str(tmp_path / "valid.txt")}]}
    with pytest.raises(CorpusError, match=r"valid\.txt: the valid text holds no token of the vocabulary"):
        prepare_text(tiny_language_config(tmp_path, data=data), tmp_path / "run")


def test_cutoffs_beyond_the_vocabulary_are_named(tmp_path):
    config = tiny_language_config(tmp_path, model={"softmax": "adaptive", "cutoffs": [4, 500]})
    with pytest.raises(ConfigError, match=r"model.cutoffs = \[4, 500\] must be below the 18 ids"):
        prepare_text(config, tmp_path / "run")


def test_valid_text_that_is_learned_from_is_counted(tmp_path, capsys):
    (tmp_path / "valid.txt").write_text("a cat was full\na zebra was full\n")
    config = tiny_language_config(tmp_path, data={"valid": [{"file": str(tmp_path / "valid.txt")}]})
    prepare_text(config, tmp_path / "run")
    assert capsys.readouterr().err == "valid text: 1 of 2 different sequences are in the training text too\n"
