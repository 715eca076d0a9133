"""The benchmark of scores: one row with errors by label and F1 by decoding."""

from pathlib import Path

import pytest

from benchmarks import ner_calibration
from seqserve.training.reading.conll import Sentence
from tests.seqserve.tiny_bundle import TINY
from tests.training.export.again import export_again

SENTENCES = [Sentence(("Teddy", "Roosevelt", "spoke", "."), ("B-PER", "I-PER", "O", "O"))]


def test_a_row_has_errors_and_f1_by_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ner_calibration, "read_set", lambda corpus, split: SENTENCES)
    monkeypatch.setattr(ner_calibration, "SETS", {"btc": {}})
    again = export_again(TINY, tmp_path / "again", name="again")
    assert ner_calibration.main([str(TINY), str(again), "--splits", "test"]) == 0
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("| BTC")]
    assert [row[0].strip() for row in rows] == ["BTC test", "BTC test"]
    assert [len(row) for row in rows] == [8, 8]
    assert rows[0][-1].strip() == ""  # the tiny bundle gives no posteriors of all spans
    assert float(rows[1][-1]) == 100
    assert float(rows[1][2]) == float(rows[1][3])  # all entities are persons
