"""Which model answers where none is named."""

import pytest

from seqserve.defaults import choose_defaults, default_name, read_defaults
from seqserve.errors import UsageError

TASKS = {"a-tagger": "tag", "ner-en": "tag", "char-lm": "language-model", "b-lm": "language-model"}


def test_the_shipped_model_is_taken_before_others() -> None:
    assert default_name("tag", ["a-tagger", "ner-en"]) == "ner-en"


def test_without_the_shipped_model_the_first_by_name_is_taken() -> None:
    assert default_name("language-model", ["char-lm", "b-lm"]) == "b-lm"


def test_a_task_without_a_shipped_model_has_a_default() -> None:
    assert default_name("summarise", ["b", "a"]) == "a"


def test_some_defaults_may_be_set() -> None:
    assert choose_defaults(TASKS, {"tag": "a-tagger"}) == {"language-model": "b-lm", "tag": "a-tagger"}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"tags": "ner-en"}, "no model does 'tags'; there are models for language-model, tag."),
        ({"tag": "ner"}, "there is no model 'ner'; there are: a-tagger, b-lm, char-lm, ner-en."),
        ({"tag": "b-lm"}, "the model 'b-lm' does 'language-model'."),
    ],
    ids=["task", "name", "other task"],
)
def test_a_default_that_cannot_be_is_refused(given: dict[str, str], reason: str) -> None:
    ((task, name),) = given.items()
    with pytest.raises(UsageError) as caught:
        choose_defaults(TASKS, given)
    assert str(caught.value) == f"--default {task}={name}: {reason}"


@pytest.mark.parametrize("text", ["ner-en", "tag=", "=ner-en", "tag=ner-en,,", ""])
def test_what_is_no_pair_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"\A--default must be TASK=NAME"):
        read_defaults([text])


def test_two_models_for_a_task_are_refused() -> None:
    with pytest.raises(UsageError, match=r"\A--default names two models for the task 'tag': a and b\.\Z"):
        read_defaults(["tag=a", "tag=b"])
