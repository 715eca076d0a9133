"""`python -m service transduce`: a line in, a line out, the same as over HTTP."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from seqserve.errors import SeqserveError
from seqserve.service.offline.transduce import transduce
from tests.seqserve.tiny_transducer import KNOWN, TINY_TRANSLATE
from tests.service.transducers import tiny_transducer


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    """Run the command over text and return what it writes."""

    def over(text: str, *flags: str) -> str:
        (tmp_path / "in").write_text(text, encoding="utf-8")
        files = [str(tmp_path / "in"), "--output", str(tmp_path / "out")]
        assert transduce([*files, "--models", str(TINY_TRANSLATE), *flags], {}) == 0
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


@pytest.mark.parametrize(
    ("text", "message"),
    [("Tom\n\nTom\n", "in, line 2: has no token"), ("Tom\nTom\n" + "a " * 13, "in, line 3: has more than 12 tokens")],
)
def test_errors_name_file_and_line(run: Callable[..., str], text: str, message: str) -> None:
    with pytest.raises(SeqserveError, match=message):
        run(text)


@pytest.mark.parametrize("flags", [("--beams", "0"), ("--beams", "17"), ("--max-tokens", "0"), ("--format", "xml")])
def test_wrong_flags_are_refused(
    run: Callable[..., str], flags: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run("Tom", *flags)
    assert flags[0] in capsys.readouterr().err
