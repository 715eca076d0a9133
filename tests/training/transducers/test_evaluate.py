"""`seqserve train evaluate` on an encoder-decoder: BLEU and chrF, by all references and pair by pair."""

import json

import pytest

from seqserve.training.__main__ import main
from seqserve.training.transducers.evaluate import group_references
from tests.seqserve.tiny_transducer import KNOWN, TINY_TRANSLATE


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.tsv"
    lines = [*KNOWN.items(), ("I am happy.", "Je suis content."), ("I am happy.", "Je suis content.")]
    path.write_text("".join(f"{source}\t{target}\n" for source, target in lines), encoding="utf-8")
    return path


def test_references_are_grouped_by_their_source():
    pairs = [("a", "x"), ("b", "y"), ("a", "z"), ("a", "x")]
    assert group_references(pairs) == {"a": ["x", "z"], "b": ["y"]}


def test_scores(pairs, capsys):
    assert main(["evaluate", str(TINY_TRANSLATE), str(pairs), "--json", "--beams", "1", "3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["num_texts"], found["num_references"]) == (len(KNOWN), len(KNOWN) + 1)
    for beams, scores in zip((1, 3), found["scores"], strict=True):
        assert scores["beams"] == beams
        assert scores["bleu"] == pytest.approx(100)  # every answer is one of its references
        assert scores["chrf"] == pytest.approx(100)
        assert scores["exact_match"] == 100
        assert 50 < scores["pair_bleu"] < 99  # one pair has another reference
        assert 50 < scores["pair_chrf"] < 99
        assert scores["num_cut_off"] == 0


def test_an_exact_match_is_one_of_the_references_whatever_the_spaces(tmp_path, capsys):
    (source, target), (other, _) = list(KNOWN.items())[:2]
    lines = [f"{source}\tanother one", f"{source}\t  {target.replace(' ', '  ')} ", f"{other}\twrong"]
    (tmp_path / "pairs.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert main(["evaluate", str(TINY_TRANSLATE), str(tmp_path / "pairs.tsv"), "--json", "--beams", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["scores"][0]["exact_match"] == 50


def test_columns_can_be_named(pairs, capsys):
    flipped = pairs.with_name("flipped.tsv")
    rows = [line.split("\t") for line in pairs.read_text(encoding="utf-8").splitlines()]
    flipped.write_text("".join(f"{target}\t{source}\n" for source, target in rows), encoding="utf-8")
    arguments = ["evaluate", str(TINY_TRANSLATE), str(flipped), "--source-column", "1", "--target-column", "0"]
    assert main([*arguments, "--beams", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[2].split()[:4] == ["2", "100.00", "100.00", "100.00"]


def test_answers_that_are_cut_off_are_counted(pairs, capsys):
    assert main(["evaluate", str(TINY_TRANSLATE), str(pairs), "--max-target-tokens", "2", "--beams", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[2].split()[-2] == str(len(KNOWN))


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "is evaluated on FILE, tab-separated pairs"),
        (["FILE", "--beams", "0"], 2, "--beams and --max-target-tokens must be 1 or more"),
        (["FILE", "--target-column", "7"], 1, "no column 7"),
        (["FILE", "--source-column", "-1"], 2, "source_column = -1"),
        (["FILE", "--lower"], 2, "a transducer does not take --lower"),
    ],
)
def test_what_cannot_be_evaluated_is_said(pairs, capsys, arguments, status, message):
    given = [str(pairs) if argument == "FILE" else argument for argument in arguments]
    assert main(["evaluate", str(TINY_TRANSLATE), *given]) == status
    assert message in capsys.readouterr().err


def test_a_text_the_model_cannot_take_is_named(tmp_path, capsys):
    (tmp_path / "long.tsv").write_text("a " * 13 + "\tb\n")
    assert main(["evaluate", str(TINY_TRANSLATE), str(tmp_path / "long.tsv")]) == 1
    assert "has no token, or more tokens than the model takes" in capsys.readouterr().err
