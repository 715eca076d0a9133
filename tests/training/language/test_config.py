import pytest

from seqserve.training.config import ConfigError
from tests.training.tiny_language import tiny_language_config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": {"dropout": {"input": 1.0}}}, r"model.dropout.input = 1.0 is not in \[0, 1\)"),
        ({"loop": {"bptt_length": 0}}, "loop.bptt_length = 0 is below 1"),
        ({"text": {"level": "character"}}, "tokenization = 'whitespace' does not fit text.level = 'character'"),
        ({"text": {"unit": "line", "ends_sentences": False}}, 'needs text.unit = "stream"'),
        ({"model": {"softmax": "adaptive"}}, "model.cutoffs are needed"),
        ({"model": {"cutoffs": [3]}}, "model.cutoffs are needed"),
        ({"model": {"softmax": "adaptive", "cutoffs": [9, 3]}}, r"cutoffs = \[9, 3\] must rise"),
        ({"model": {"softmax": "adaptive", "cutoffs": [3], "tied": True}}, "model.tied = true needs"),
        ({"model": {"tied": True, "projection_dim": 5}}, "projection_dim = 5 cannot be tied"),
        ({"loop": {"sampled_tokens": 5}}, "exact_tokens above 0"),
        ({"loop": {"exact_tokens": 5}}, "loop.exact_tokens needs loop.sampled_tokens"),
        ({"loop": {"valid_tokens": -1}}, "loop.valid_tokens = -1 is below 0"),
        ({"loop": {"average_decay": 1.0}}, r"loop.average_decay = 1.0 is not in \[0, 1\)"),
        ({"optimizer": {"warmup": 1.0}}, r"optimizer.warmup = 1.0 is not in \[0, 1\)"),
        ({"optimizer": {"name": "nt-asgd"}}, "loop.average_decay must be 0"),
        ({"text": {"max_vocabulary": 2}}, "text.max_vocabulary = 2 leaves no room"),
        ({"text": {"lookup": ["stem"]}}, r"text.lookup = \['stem'\] must hold one or more of exact"),
        ({"text": {"level": "character", "tokenization": "characters", "unit": "stream"}}, "must be false"),
        ({"data": {"train": []}}, "at least one file each"),
        ({"text": {"sentences": True}}, "unknown key text.sentences"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        tiny_language_config(tmp_path, **changes)


@pytest.mark.parametrize(
    ("file", "unit", "message"),
    [
        ({"column": 1}, "line", 'column = 1 of own.txt needs format = "tsv"'),
        ({"column": -1, "format": "tsv"}, "line", "column = -1 of own.txt is below 0"),
        ({"skip_books": "ids.txt"}, "line", "skip_books = 'ids.txt' of own.txt needs"),
        ({"format": "conll"}, "line", "format = 'conll' of own.txt needs text.level = \"word\""),
        ({"format": "abc"}, "stream", "format = 'abc' of own.txt needs lines of characters"),
        ({"prefix": "a"}, "stream", "prefix = 'a' of own.txt needs a text of lines"),
        ({"distinct": True}, "stream", "distinct = True of own.txt needs a text of lines"),
    ],
)
def test_what_a_file_would_leave_out_of_account_is_refused(tmp_path, file, unit, message):
    text = {"level": "character", "tokenization": "characters", "unit": unit, "ends_sentences": unit == "line"}
    with pytest.raises(ConfigError, match=message):
        tiny_language_config(tmp_path, text=text, data={"valid": [{"file": "own.txt", **file}]})


@pytest.mark.parametrize("file", [{"part": [0.0, 0.5]}, {"distinct": True}], ids=["part", "distinct"])
def test_sentences_of_columns_have_no_part(tmp_path, file):
    with pytest.raises(ConfigError, match=f"{next(iter(file))} = .* of own.conll needs"):
        tiny_language_config(tmp_path, data={"valid": [{"file": "own.conll", "format": "conll", **file}]})


@pytest.mark.parametrize(
    "changes",
    [
        {"model": {"softmax": "adaptive", "cutoffs": [4, 20]}},
        {"loop": {"exact_tokens": 20, "sampled_tokens": 3}},
    ],
    ids=["cutoffs", "exact"],
)
def test_a_softmax_beyond_the_vocabulary_is_refused(tmp_path, changes):
    config = tiny_language_config(tmp_path, **changes)
    config.check_vocabulary(21)
    with pytest.raises(ConfigError, match="below the 20 ids"):
        config.check_vocabulary(20)


def test_a_part_outside_the_text_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="a range within 0 to 1"):
        tiny_language_config(tmp_path, data={"valid": [{"file": "x", "part": [0.5, 0.5]}]})
