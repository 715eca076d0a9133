"""`seqserve sample`: the same samples as over HTTP, as JSON lines or as text."""

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from seqserve.cli import main
from seqserve.commands import sample as command
from seqserve.language.language_model import LanguageModel as Opened
from seqserve.service.routes.sample import SampleRequest
from tests.service.conftest import BUNDLES
from tests.service.toys import open_toy

ROOT = Path(__file__).resolve().parents[3]

Run = Callable[..., str]

CALLS: dict[str, tuple[list[str], dict[str, object]]] = {
    "nothing but a seed": (["--seed", "5"], {"seed": 5}),
    "several": (["-n", "3", "--seed", str(2**64 - 1)], {"n": 3, "seed": 2**64 - 1}),
    "a prompt": (["--prompt", "the cat ", "--seed", "5"], {"prompt": "the cat ", "seed": 5}),
    "all parameters": (
        shlex.split(
            "--seed 5 --max-tokens 40 --min-tokens 3 --temperature 0.7 --top-k 5 --top-p 0.9 --min-p 0.01 "
            "--repetition-penalty 1.2 --stop ran --stop cat --banned the --banned . --allow-unknown --ignore-eos "
            "--include tokens"
        ),
        {
            "seed": 5,
            "max_tokens": 40,
            "min_tokens": 3,
            "temperature": 0.7,
            "top_k": 5,
            "top_p": 0.9,
            "min_p": 0.01,
            "repetition_penalty": 1.2,
            "stop": ["ran", "cat"],
            "banned": ["the", "."],
            "allow_unknown": True,
            "ignore_eos": True,
            "include": ["tokens"],
        },
    ),
}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command with a toy model and return what it writes."""
    monkeypatch.setattr(command, "open_chosen", lambda given, expected: Opened(open_toy().bundle))

    def with_flags(*flags: str) -> str:
        assert main(["sample", *flags]) == 0
        return capfd.readouterr().out

    return with_flags


@pytest.mark.parametrize(("flags", "body"), CALLS.values(), ids=CALLS)
def test_lines_equal_the_samples_over_http(
    run: Run, make_app: Callable[..., Flask], flags: list[str], body: dict[str, object]
) -> None:
    reply = make_app(models=[open_toy()]).test_client().post("/v1/sample", json=body)
    assert [json.loads(line) for line in run(*flags).splitlines()] == reply.json["samples"]


def test_every_parameter_is_a_flag() -> None:
    _, body = CALLS["all parameters"]
    assert {*body, "prompt", "n"} == {*SampleRequest.__struct_fields__} - {"model", "stream"}


def test_text_alone(run: Run) -> None:
    texts = [json.loads(line)["text"] for line in run("--seed", "5", "-n", "3").splitlines()]
    assert run("--seed", "5", "-n", "3", "--format", "text").split("\n") == [*texts, ""]


def test_a_drawn_seed_is_told(run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["sample"]) == 0
    captured = capfd.readouterr()
    assert run("--seed", captured.err.removeprefix("seed ").strip()) == captured.out


@pytest.mark.parametrize(
    ("flags", "status", "message"),
    [
        (["--banned", "dog"], 2, "seqserve: --banned: 'dog' is no word"),
        (["--min-tokens", "9", "--max-tokens", "8"], 2, "seqserve: --min-tokens: "),
        (["--prompt", "the \udcff"], 2, "seqserve: --prompt: "),
    ],
)
@pytest.mark.usefixtures("run")
def test_what_cannot_be_done_is_one_sentence(
    flags: list[str], status: int, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", *flags]) == status
    said = capfd.readouterr().err
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("-n", "1000", "must be at most 64"),
        ("-n", "0", "must be at least 1"),
        ("-n", "1.5", "must be a whole number"),
        ("--seed", str(2**64), "must be at most 18446744073709551615"),
        ("--max-tokens", "1" + "0" * 400, "must be at most 4096"),
        ("--temperature", "-1", "must be at least 0"),
        ("--top-p", "0", "must be above 0"),
    ],
)
def test_a_number_beyond_its_limit_names_flag_and_limit(
    run: Run, flag: str, value: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(flag, value)
    assert ended.value.code == 2
    assert f"error: argument {flag}: {message}, not '{value}'" in capfd.readouterr().err


@pytest.mark.parametrize("value", ["nan", "inf", "1e999", "much"])
def test_what_is_no_finite_number_is_named(run: Run, value: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--top-p", value)
    assert f"--top-p: must be a finite number, not '{value}'" in capfd.readouterr().err


def test_as_a_command() -> None:
    arguments = ["--models", str(BUNDLES), "--model", "tiny-char-lm", "--seed", "1", "-n", "2", "--format", "text"]
    done = subprocess.run(
        [sys.executable, "-m", "seqserve", "sample", *arguments], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout.decode()) == 2 * 101
