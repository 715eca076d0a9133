"""The learning curve: what each of its trainings gets, and how its rows are written."""

from pathlib import Path

import pytest

from benchmarks.learning_curve import Curve, draw, labels_of, row, write_conll
from seqserve.training.load_config import config_from
from seqserve.training.reading.conll import Sentence, read_conll

BUNDLE = Path(__file__).parents[1] / "fixtures" / "bundles" / "tiny-ner" / "1"
SENTENCES = [Sentence((f"word{number}", "ran"), ("B-dish" if number % 2 else "B-drink", "O")) for number in range(9)]


def test_more_sentences_hold_the_fewer() -> None:
    few, many = draw(SENTENCES, 3, 1), draw(SENTENCES, 6, 1)
    assert many[:3] == few
    assert draw(SENTENCES, 3, 2) != few


def test_sentences_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_conll(tmp_path / "a.conll", SENTENCES)
    assert read_conll(tmp_path / "a.conll") == SENTENCES
    assert labels_of(SENTENCES) == ["dish", "drink"]


@pytest.mark.parametrize("start", [str(BUNDLE), ""], ids=["start", "nothing"])
def test_both_trainings_have_the_same_sizes(start: str) -> None:
    curve = Curve(str(BUNDLE), SENTENCES, SENTENCES, ["vectors.txt"])
    config = config_from(curve.configuration(Path("a.conll"), SENTENCES, seed=3, start=start))
    assert (config.seed, config.loop.keep, config.data.labels) == (3, "last", ("dish", "drink"))
    assert (config.model.hidden_size, config.model.characters.max_word_chars) == (24, 12)
    assert config.model.words.vectors == (() if start else ("vectors.txt",))


def test_a_row_has_means_and_spread() -> None:
    points = [{"start": (0.5, 10.0), "nothing": (0.1, 4.0)}, {"start": (0.6, 12.0), "nothing": (0.3, 4.0)}]
    assert row(25, points) == "| 25 | 55.0 ± 7.1 | 20.0 ± 14.1 | 11 | 4 |"
