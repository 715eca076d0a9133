"""`seqserve train evaluate` on a stand-in for a bundle, whose answers are known."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from msgspec import UNSET

from seqserve.errors import SeqserveError
from seqserve.tagger.model import TaggedSentence
from seqserve.training.commands import evaluate
from seqserve.training.reading.conll import Sentence
from seqserve.training.taggers.evaluate import evaluate_bundle, read_mapping

TEXT = """\
Ada NN B-person
Lovelace NN I-person
in NN O
London NN B-location

Engines NN B-product
"""


class KnowsTwoWords:
    """Tags "Ada Lovelace" as PER and "London" as LOC, in BIOES, and notes the tokens it was given."""

    manifest = SimpleNamespace(
        architecture=SimpleNamespace(labels=["PER", "LOC"]),
        limits=SimpleNamespace(max_sentence_tokens=256),
        tokenization=SimpleNamespace(span_edges=UNSET),
    )
    tags = ("O",)

    def __init__(self) -> None:
        self.seen: list[Sequence[str]] = []

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[TaggedSentence]:
        self.seen += sentences
        tags = {"ada": "B-PER", "lovelace": "E-PER", "london": "S-LOC"}
        return [
            TaggedSentence(
                tuple(tags.get(token.lower(), "O") for token in each), np.zeros((len(each), 1)), np.zeros(len(each))
            )
            for each in sentences
        ]


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch) -> KnowsTwoWords:
    stand_in = KnowsTwoWords()
    monkeypatch.setattr(evaluate, "load_bundle", lambda folder: stand_in)
    monkeypatch.setattr(evaluate, "locate", lambda name: name)
    monkeypatch.setattr(evaluate, "task_of", lambda bundle: "tag")
    return stand_in


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "test.conll"
    path.write_text(TEXT)
    return path


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    return evaluate.run(parser.parse_args(words))


def test_the_scheme_of_the_file_does_not_matter(bundle: KnowsTwoWords) -> None:
    tokens = ("Ada", "Lovelace", "left", "London")
    for tags in (
        ("B-PER", "I-PER", "O", "B-LOC"),
        ("I-PER", "I-PER", "O", "I-LOC"),
        ("B-PER", "E-PER", "O", "S-LOC"),
    ):
        scores = evaluate_bundle(bundle, [Sentence(tokens, tags)])
        assert (scores.f1, scores.accuracy) == (1.0, 1.0)


def test_prints_conllevals_table(bundle: KnowsTwoWords, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("unused", str(file), "--map", "person=PER,location=LOC") == 0
    assert capsys.readouterr().out == (
        "processed 5 tokens with 2 phrases; found: 2 phrases; correct: 2.\n"
        "accuracy: 100.00%; precision: 100.00%; recall: 100.00%; FB1: 100.00\n"
        "              LOC: precision: 100.00%; recall: 100.00%; FB1: 100.00  1\n"
        "              PER: precision: 100.00%; recall: 100.00%; FB1: 100.00  1\n"
    )


def test_labels_outside_the_bundle_count_and_are_pointed_out(
    bundle: KnowsTwoWords, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("unused", str(file), "--map", "person=PER,product=PROD") == 0
    printed = capsys.readouterr()
    assert printed.err == f"{file}: the bundle has no label PROD; see --map\n"
    # London is found and not gold, Engines is gold and not found.
    assert "found: 2 phrases; correct: 1." in printed.out
    assert "              LOC: precision:   0.00%; recall:   0.00%; FB1:   0.00  1\n" in printed.out


def test_lower_case_and_columns_and_json(bundle: KnowsTwoWords, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--lower", "--json", "--token-column", "0", "--tag-column", "2", "--map", "person=PER"]
    assert command("unused", str(file), *arguments) == 0
    assert bundle.seen[0] == ["ada", "lovelace", "in", "london"]
    scores = json.loads(capsys.readouterr().out)
    assert (scores["num_gold"], scores["num_found"], scores["num_correct"]) == (1, 2, 1)
    assert scores["labels"]["PER"]["f1"] == 1.0
    assert scores["accuracy"] == 0.8


@pytest.mark.parametrize("text", ["person", "=PER", "a=B,,"], ids=["no sign", "no label", "empty"])
def test_a_wrong_mapping_is_refused(text: str) -> None:
    with pytest.raises(SeqserveError, match=r"--map: .* is not of the form LABEL=LABEL"):
        read_mapping(text)


def test_a_file_without_sentences_is_refused(bundle: KnowsTwoWords, tmp_path: Path) -> None:
    (tmp_path / "empty.conll").write_text("\n\n")
    with pytest.raises(SeqserveError, match="there are no sentences in it"):
        command("unused", str(tmp_path / "empty.conll"))


def test_arguments_of_language_models_and_a_missing_file_are_refused(bundle: KnowsTwoWords, file: Path) -> None:
    with pytest.raises(SeqserveError, match="a tagger does not take --whole"):
        command("unused", str(file), "--whole")
    with pytest.raises(SeqserveError, match="evaluated on FILE"):
        command("unused")
