"""`seqserve score`: the same answers as over HTTP, and the numbers of a whole file."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from msgspec.structs import replace

from seqserve.cli import main
from seqserve.commands import score as command
from seqserve.language.language_model import LanguageModel as Opened
from seqserve.language.manifest import TextReading
from seqserve.service.engine.models import LanguageModel
from tests.service.toys import open_toy

LINES = ["the cat sat .", "", "the dog ran .", "dog", " the\u2003cat  's 's ", "one\u2028the\x85cat \x0b\x0c sat"]


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> LanguageModel:
    """The model that the command opens, and that a server has."""
    model = open_toy(max_chunk_tokens=3)
    monkeypatch.setattr(command, "open_chosen", lambda given, expected: Opened(model.bundle))
    return model


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    """Run the command over lines and return what it writes."""

    def over(lines: list[str], *flags: str) -> str:
        (tmp_path / "in").write_bytes("\n".join([*lines, ""]).encode())
        assert main(["score", str(tmp_path / "in"), "--output", str(tmp_path / "out"), *flags]) == 0
        return (tmp_path / "out").read_text("utf-8")

    return over


def answers(make_app: Callable[..., Flask], model: LanguageModel, **body: object) -> list[dict[str, Any]]:
    reply = make_app(models=[model]).test_client().post("/v1/score", json=body)
    assert reply.status_code == 200
    found: list[dict[str, Any]] = reply.json["results"]
    return found


@pytest.mark.parametrize(
    ("flags", "body"),
    [
        ([], {}),
        (["--include", "tokens"], {"include": ["tokens"]}),
        (["--include", "tokens", "--top", "3"], {"include": ["tokens"], "top": 3}),
        (["--no-eos"], {"eos": False}),
    ],
    ids=["plain", "tokens", "alternatives", "no eos"],
)
def test_json_lines_equal_the_answers_over_http(
    toy: LanguageModel, run: Callable[..., str], make_app: Callable[..., Flask], flags: list[str], body: dict[str, Any]
) -> None:
    found = [json.loads(line) for line in run(LINES, *flags).split("\n")[:-1]]
    assert found == answers(make_app, toy, text=LINES, **body)


def test_many_lines_come_out_in_order(
    toy: LanguageModel, run: Callable[..., str], make_app: Callable[..., Flask]
) -> None:
    lines = [LINES[number % 4] + " sat" * (number % 11) for number in range(700)]
    found = [json.loads(line) for line in run(lines).splitlines()]
    assert found == answers(make_app, toy, text=lines)


def test_text_has_the_lines_of_kenlms_query(
    toy: LanguageModel, run: Callable[..., str], make_app: Callable[..., Flask]
) -> None:
    results = answers(make_app, toy, text=LINES)
    lines = run(LINES, "--format", "text").splitlines()
    for line, result in zip(lines, results, strict=False):
        total, unknown = line.removeprefix("Total: ").split(" OOV: ")
        assert float(total) == pytest.approx(result["log10_prob"])
        assert int(unknown) == result["num_unknown"]
    summary = dict(line.split(":\t") for line in lines[len(LINES) :])
    num_tokens = sum(result["num_tokens"] for result in results)
    log_prob = math.fsum(result["log_prob"] for result in results)
    assert list(summary) == ["Perplexity including OOVs", "Perplexity excluding OOVs", "OOVs", "Tokens"]
    assert float(summary["Perplexity including OOVs"]) == pytest.approx(math.exp(-log_prob / num_tokens))
    assert int(summary["OOVs"]) == sum(result["num_unknown"] for result in results)
    assert int(summary["Tokens"]) == num_tokens


def test_an_unknown_word_is_unk_to_kenlms_query_and_has_its_share_in_json(
    toy: LanguageModel, run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = TextReading(lookup=["exact"], num_unknown_types=10)
    query, summary = run(["dog the dog"], "--format", "text"), json.loads(run(["dog the dog"], "--summary"))
    monkeypatch.setattr(toy.bundle, "manifest", replace(toy.bundle.manifest, texts=texts))
    assert run(["dog the dog"], "--format", "text") == query
    shared, [line] = json.loads(run(["dog the dog"], "--summary")), run(["dog the dog"]).splitlines()
    assert shared["log10_prob"] == pytest.approx(summary["log10_prob"] - 2)
    assert json.loads(line)["log10_prob"] == shared["log10_prob"]


def test_known_tokens_have_a_perplexity_of_their_own(toy: LanguageModel, run: Callable[..., str]) -> None:
    tokens = [
        token for line in run(LINES, "--include", "tokens").split("\n")[:-1] for token in json.loads(line)["tokens"]
    ]
    known = [token["log_prob"] for token in tokens if not token["is_unknown"]]
    summary = json.loads(run(LINES, "--summary"))
    assert summary["num_texts"] == len(LINES)
    assert summary["num_tokens"] - summary["num_unknown"] == len(known)
    assert summary["perplexity_known"] == pytest.approx(math.exp(-math.fsum(known) / len(known)))


def test_a_summary_is_all_there_is(toy: LanguageModel, run: Callable[..., str]) -> None:
    assert len(run(LINES, "--summary").splitlines()) == 1
    assert len(run(LINES, "--summary", "--format", "text").splitlines()) == 4


def test_an_empty_file_has_no_perplexity(toy: LanguageModel, tmp_path: Path) -> None:
    (tmp_path / "nothing").touch()
    arguments = ["score", str(tmp_path / "nothing"), "--output", str(tmp_path / "out")]
    assert main([*arguments, "--format", "text"]) == 0
    assert (tmp_path / "out").read_text("utf-8").startswith("Perplexity including OOVs:\tnan\n")
    assert main([*arguments, "--summary"]) == 0
    assert json.loads((tmp_path / "out").read_bytes())["perplexity"] is None
    assert main(arguments) == 0
    assert (tmp_path / "out").read_bytes() == b""


def test_a_line_that_is_not_utf8_is_left_out_of_the_sums(
    toy: LanguageModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").write_bytes(b"the cat\nnot \xff fine\nsat\n")
    for flags, num_lines in (([], 3), (["--format", "text"], 7), (["--summary"], 1)):
        assert main(["score", str(tmp_path / "in"), "--output", str(tmp_path / "out"), *flags]) == 1
        assert capsys.readouterr().err == "seqserve: 1 of 3 lines was not answered, the first of them line 2.\n"
        lines = (tmp_path / "out").read_text("utf-8").splitlines()
        assert len(lines) == num_lines
    assert json.loads(lines[0])["num_texts"] == 2


def test_eos_of_a_model_of_running_text_is_not_counted(
    monkeypatch: pytest.MonkeyPatch, run: Callable[..., str]
) -> None:
    model = open_toy("character", ends_sentences=False)
    monkeypatch.setattr(command, "open_chosen", lambda given, expected: Opened(model.bundle))
    assert json.loads(run(["ab"]))["num_tokens"] == 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--top", "3"], "--top needs --include tokens"),
        (["--include", "tokens", "--top", "21"], "--top: must lie in 0 to 20"),
        (["--include", "tokens", "--summary"], "--include is for JSON lines"),
        (["--include", "tokens", "--format", "text"], "--include is for JSON lines"),
    ],
)
def test_flags_that_make_no_sense(flags: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status: object = main(["score", "-", *flags])
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    assert message in capsys.readouterr().err
