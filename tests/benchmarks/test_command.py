"""The words of `python -m benchmarks`."""

import pytest

from benchmarks import __main__ as command
from benchmarks.load.themes import THEMES
from seqserve.errors import SeqserveError


def test_the_list_names_every_theme(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [*THEMES, "faults"]


def test_a_name_that_is_none() -> None:
    with pytest.raises(SeqserveError, match="no benchmark 'nonsense': throughput"):
        command.main(["nonsense"])


@pytest.mark.parametrize("word", ["0", "-1", "x", "inf"])
def test_rounds_and_seconds_are_above_nothing(word: str) -> None:
    with pytest.raises(SystemExit):
        command.main(["--seconds", word])
