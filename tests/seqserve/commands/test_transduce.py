"""`seqserve transduce`: a line in, a line out, the same as over HTTP."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from seqserve.cli import main
from tests.seqserve.tiny_transducer import KNOWN, TINY_TRANSLATE
from tests.service.transducers import tiny_transducer


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    """Run the command over text and return what it writes."""

    def over(text: str, *flags: str, status: int = 0) -> str:
        (tmp_path / "in").write_text(text, encoding="utf-8")
        files = [str(tmp_path / "in"), "--output", str(tmp_path / "out")]
        assert main(["transduce", *files, "--models", str(TINY_TRANSLATE), *flags]) == status
        return (tmp_path / "out").read_text(encoding="utf-8")

    return over


@pytest.mark.parametrize("flags", [(), ("--beams", "4")], ids=["greedy", "beams"])
def test_a_line_in_is_a_line_out(run: Callable[..., str], flags: tuple[str, ...]) -> None:
    assert run("".join(f"{line}\n" for line in KNOWN), *flags) == "".join(f"{line}\n" for line in KNOWN.values())


def test_json_lines_are_the_results_over_http(run: Callable[..., str], make_app: Callable[..., Flask]) -> None:
    client = make_app(models=[tiny_transducer()]).test_client()
    body = {"text": list(KNOWN), "beams": 3, "max_tokens": 4}
    lines = run("\n".join(KNOWN), "--beams", "3", "--max-tokens", "4", "--format", "jsonl").splitlines()
    assert [json.loads(line) for line in lines] == client.post("/v1/transduce", json=body).json["results"]


def test_an_empty_line_is_answered_with_one(run: Callable[..., str]) -> None:
    (text, answer), *_ = KNOWN.items()
    assert run(f"{text}\n\n{text}\n") == f"{answer}\n\n{answer}\n"


def test_a_line_that_is_too_long_says_so(run: Callable[..., str]) -> None:
    (text, answer), *_ = KNOWN.items()
    lines = run(f"{text}\n" + "a " * 13 + f"\n{text}", status=1).splitlines()
    assert lines[::2] == [answer, answer]
    assert json.loads(lines[1]) == {"error": "This text has more than 12 tokens, the most that the model takes."}


@pytest.mark.parametrize("flags", [("--beams", "0"), ("--beams", "17"), ("--max-tokens", "0"), ("--format", "xml")])
def test_wrong_flags_are_refused(
    run: Callable[..., str], flags: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run("Tom", *flags)
    assert flags[0] in capsys.readouterr().err
