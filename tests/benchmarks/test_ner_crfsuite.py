"""The CRFsuite peer: its features, that it learns, that it is scored as bundles are."""

import sys
from pathlib import Path

import pytest

from benchmarks import ner_crfsuite
from benchmarks.ner_crfsuite import (
    LearningOptions,
    learn,
    measure,
    read_train_set,
    sentence_features,
    shape_of,
    squeezed,
    word_features,
)
from seqserve.errors import SeqserveError
from seqserve.tagger.tags import spans_from_tags
from seqserve.training.reading.conll import Sentence

FIXTURES = Path(__file__).parents[1] / "fixtures" / "conll"


def test_shape_keeps_case_digits_and_signs() -> None:
    assert shape_of("McDonald's-2") == "XxXxxxxx'x-d"
    assert squeezed("XxXxxxxx'x-d") == "XxXx'x-d"
    assert squeezed("dddd") == "d"


def test_word_has_its_affixes_up_to_its_length() -> None:
    features = word_features("Rio")
    assert [each for each in features if each.startswith("prefix=")] == ["prefix=r", "prefix=ri", "prefix=rio"]
    assert "suffix=aris" in word_features("Paris")
    assert "suffix=paris" not in word_features("Paris")


@pytest.mark.parametrize(
    ("word", "flags"),
    [
        ("Ada", {"capital"}),
        ("NATO", {"capital", "capitals", "inner capital"}),
        ("iPod", {"inner capital"}),
        ("1999", {"digit", "digits"}),
        ("mid-90s", {"digit", "hyphen"}),
        ("…", {"no letter"}),
    ],
)
def test_word_has_its_flags(word: str, flags: set[str]) -> None:
    assert {each for each in word_features(word) if "=" not in each} == flags


def test_neighbours_reach_two_tokens_and_know_the_border() -> None:
    first, *_, last = sentence_features(["In", "1843", "Ada", "wrote"])
    assert {"1 lower=1843", "2 lower=ada", "1 squeezed=d", "-1 lower=\t", "-2 lower=\t"} <= set(first)
    assert {"-1 pair=\t\tin", "0 pair=in\t1843"} <= set(first)
    assert {"-2 lower=1843", "-1 squeezed=Xx", "1 lower=\t", "-1 pair=ada\twrote"} <= set(last)
    assert "3 lower=wrote" not in first


@pytest.mark.parametrize("corpus", ["wnut17", "wikigold"])
def test_train_sets_have_person_place_and_organisation_only(corpus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ner_crfsuite, "corpus_file", lambda path: FIXTURES / f"{path.split('/')[0]}.conll")
    labels = {span.label for sentence in read_train_set(corpus) for span in spans_from_tags(sentence.tags)}
    assert labels
    assert labels <= {"PER", "LOC", "ORG"}


def test_it_learns_and_is_scored_in_both_cases(tmp_path: Path) -> None:
    pytest.importorskip("pycrfsuite")
    names = [("Ada", "PER"), ("Paris", "LOC"), ("Unesco", "ORG")]
    sentences = [Sentence(("we", "met", name, "."), ("O", "O", f"B-{label}", "O")) for name, label in names]
    sentences.append(Sentence(("we", "met", "yesterday", "."), ("O",) * 4))
    cost = learn(sentences, tmp_path / "model", LearningOptions(max_iterations=50))
    assert cost.num_tokens == 16
    results, tagging = measure(tmp_path / "model", {("wnut17", "test"): sentences})
    assert [(each.corpus, each.split, each.case) for each in results] == [
        ("wnut17", "test", "as written"),
        ("wnut17", "test", "lower case"),
    ]
    assert results[0].scores.f1 == 1.0
    assert results[1].scores.overall.num_gold == 3
    assert tagging.num_tokens == 32


def test_absent_peer_is_named_with_the_command_that_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycrfsuite", None)
    with pytest.raises(SeqserveError, match="pip install python-crfsuite"):
        ner_crfsuite.main([])
