"""The quality table of language models: pairs read from the data sets, tables that say what was measured."""

import gzip
import json
from pathlib import Path
from typing import cast

import pytest

from benchmarks import lm_quality, pair_sets
from benchmarks.lm_quality import notes_rows, notes_table, pair_results, pairs_table, text_table
from seqserve.language.model import LanguageModelBundle
from seqserve.language.scoring import Sums
from seqserve.training.language.minimal_pairs import Judged, Pair, PairCounts
from seqserve.training.language.text_evaluation import TextScores
from tests.toy_language_model import ToyLanguageModel


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small files in the forms of BLiMP, JFLEG, and Marvin and Linzen."""
    for name in ("blimp_dev", "jfleg", "marvin_linzen"):
        (tmp_path / name).mkdir()
    pair = {"sentence_good": "the cat sat.", "sentence_bad": "cat the sat.", "UID": "order"}
    (tmp_path / "blimp_dev" / "order.jsonl").write_text(json.dumps(pair))
    (tmp_path / "blimp_dev" / "models_summary.jsonl").write_text('{"UID": "order", "lstm": 0.9}\n')
    (tmp_path / "jfleg" / "test.src").write_text("cat sat . \nthe cat ran .\n")
    for number in range(4):
        (tmp_path / "jfleg" / f"test.ref{number}").write_text("the cat sat .\nthe cat ran .\n")
    rows = [
        {"construction": name, "case": "x", "sentence_good": f"the {name} {n}", "sentence_bad": f"{n} the"}
        for name in ("one", "two")
        for n in range(10)
    ]
    (tmp_path / "marvin_linzen" / "pairs.jsonl.gz").write_bytes(
        gzip.compress("\n".join(map(json.dumps, rows)).encode())
    )
    monkeypatch.setattr(pair_sets, "corpus_file", lambda path: tmp_path / path)
    return tmp_path


def test_blimps_own_table_is_not_read_as_pairs(data: Path) -> None:
    assert pair_sets.blimp() == [Pair("the cat sat.", "cat the sat.", "order")]


def test_a_rewrite_that_changes_nothing_is_no_pair(data: Path) -> None:
    assert pair_sets.jfleg() == [Pair("the cat sat .", "cat sat .", "jfleg test")] * 4


def test_pairs_are_taken_evenly_and_written_as_sentences(data: Path) -> None:
    found = pair_sets.marvin_linzen(pairs_a_construction=2)
    assert [pair.good for pair in found] == ["The one 0 .", "The one 5 .", "The two 0 .", "The two 5 ."]
    assert len(pair_sets.marvin_linzen(pairs_a_construction=100)) == 20


def test_per_token_divides_by_the_predicted_tokens() -> None:
    assert pair_sets.per_token({"a": Judged(-6.0, 3, 1), "b": Judged(0.0, 0, 0)}) == {
        "a": Judged(-2.0, 3, 1),
        "b": Judged(0.0, 0, 0),
    }


def test_every_set_has_its_row(data: Path) -> None:
    rows = pair_results(cast(LanguageModelBundle, ToyLanguageModel()), pairs_a_construction=3)
    assert list(rows) == [
        "BLiMP, all",
        "BLiMP: order",
        "JFLEG test, log P",
        "JFLEG test, log P per token",
        "Marvin and Linzen, all",
        "Marvin and Linzen: one",
        "Marvin and Linzen: two",
    ]
    assert rows["Marvin and Linzen, all"].num_pairs == 6


def test_tables_say_what_was_measured() -> None:
    notes = notes_rows([Pair("a", "b", "x")], {"a": Judged(-2.0, 1, 0), "b": Judged(-1.0, 1, 0)})
    assert notes_table(notes).splitlines()[-1] == "| a | b | -2.00 | -1.00 | **no** |"
    assert pairs_table({"p": PairCounts(3, 2, 1, 0)}).splitlines()[-1] == "| p | 66.7 | 3 | 1 | 0.0% |"
    scores = TextScores(num_lines=1, num_sequences=1, sums=Sums(-4.0, 2, -4.0, 0), num_characters=8)
    assert text_table({"t": scores}).splitlines()[-1] == "| t | 7.39 | 7.39 | 0.721 | 2 | 0.00% |"


def test_texts_notes_and_pairs_are_printed(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lm_quality, "load_bundle", lambda folder, expected: ToyLanguageModel())
    text, out = data / "held-out.txt", data / "out.json"
    text.write_text("the cat sat .\n")
    assert lm_quality.main(["unused", str(text), "--json", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("|---|---:|") == 3
    assert "The apple and pear salad | The apple and pair salad" in printed
    measured = json.loads(out.read_text())
    assert measured["pairs"]["BLiMP: order"]["num_pairs"] == 1
    assert measured["texts"][f"{data.name}/held-out.txt"]["num_tokens"] == 5
