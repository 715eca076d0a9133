"""The one command: what it names, how it ends, and that it loads only what a command needs."""

import argparse
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import seqserve
from seqserve import cli
from seqserve.command_line import Command
from seqserve.errors import SeqserveError, UsageError
from seqserve.training.command import COMMANDS as TRAIN_COMMANDS

ROOT = Path(__file__).resolve().parents[2]
BUNDLES = ROOT / "tests" / "fixtures" / "bundles"


def run_python(*arguments: str, cwd: Path = ROOT, path: str = str(ROOT)) -> subprocess.CompletedProcess[str]:
    """Run the interpreter of the tests with this clone on its path."""
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def end_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException | int], int]:
    """Run a command that raises an error, or returns a status, and return the status of the whole."""

    def end(outcome: BaseException | int) -> int:
        def run(given: argparse.Namespace) -> int:
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        module = ModuleType("toy", "A toy.\n\nNot shown.")
        module.__dict__.update(run=run, add_arguments=lambda parser: None)
        monkeypatch.setitem(sys.modules, "toy", module)
        monkeypatch.setattr(cli, "COMMANDS", [Command("toy", "toy", "do nothing")])
        return cli.main(["toy"])

    return end


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    for command in cli.COMMANDS:
        assert f"\n    {command.name} " in shown
        assert command.help.split()[0] in shown


@pytest.mark.parametrize("command", [*cli.COMMANDS, *TRAIN_COMMANDS], ids=lambda command: command.name)
def test_every_command_describes_itself(command: Command) -> None:
    pytest.importorskip("torch")
    module = importlib.import_module(command.module)
    assert module.__doc__
    assert callable(module.add_arguments)
    assert command.name == "train" or callable(module.run)


def test_version() -> None:
    done = run_python("-m", "seqserve", "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"seqserve {seqserve.__version__}\n", "")


@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_the_first_screen_loads_nothing_large(flag: str) -> None:
    code = f"import sys; from seqserve.cli import main\ntry: main([{flag!r}])\nexcept SystemExit: pass\n"
    done = run_python("-c", code + "print(*sorted(sys.modules))")
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "seqserve.cli" in loaded
    assert not loaded & {"numpy", "msgspec", "onnxruntime", "shtab", "torch", "flask", "seqserve.service"}


def test_no_command_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "`seqserve serve` starts the" in captured.err


@pytest.mark.parametrize(
    ("outcome", "status", "sentence"),
    [
        (0, 0, ""),
        (1, 1, ""),
        (SeqserveError("the file is not there"), 1, "seqserve: the file is not there\n"),
        (UsageError("the flag is wrong"), 2, "seqserve: the flag is wrong\n"),
        (KeyboardInterrupt(), 130, ""),
        (OSError(28, "No space left on device"), 1, "seqserve: No space left on device.\n"),
        (PermissionError(13, "Permission denied", "/x"), 1, "seqserve: /x: Permission denied.\n"),
        (
            ModuleNotFoundError("No module named 'flask'", name="flask"),
            1,
            "seqserve: this command needs flask: `pip install 'seqserve'`, or `pip install '.'` in a clone.\n",
        ),
        (
            RuntimeError("mat1 and\n mat2"),
            1,
            "seqserve: internal error, RuntimeError: mat1 and mat2 (`python -X dev -m seqserve …` shows where).\n",
        ),
    ],
    ids=repr,
)
def test_status_and_sentence(
    end_with: Callable[[BaseException | int], int],
    capsys: pytest.CaptureFixture[str],
    outcome: BaseException | int,
    status: int,
    sentence: str,
) -> None:
    assert end_with(outcome) == status
    assert capsys.readouterr().err == sentence


@pytest.mark.parametrize("arguments", [["nonsense"], ["tag"], ["train"], ["train", "fly"], ["check", "x", "--fast"]])
def test_wrong_use_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert "usage: seqserve" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["serve"], ["train", "corpora"], ["check", "x"]], ids=" ".join)
def test_an_unknown_flag_shows_the_usage_of_its_command(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main([*arguments, "--bogus"])
    said = capsys.readouterr().err
    command = " ".join(["seqserve", *arguments]).removesuffix(" x")
    assert said.startswith(f"usage: {command} [-h]")
    assert said.endswith(f"{command}: error: unrecognized arguments: --bogus\n")


def test_help_is_not_broken_at_a_hyphen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for columns in range(60, 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit):
            cli.main(["serve", "--help"])
        assert "tag=ner-en" in capsys.readouterr().out


def test_training_that_is_not_installed_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "find_spec", lambda name: None if name in ("torch", "onnx") else name)
    assert cli.main(["train", "fit", "none.toml"]) == 1
    assert capsys.readouterr().err == (
        "seqserve: this command needs torch, onnx: install the train extra, `pip install 'seqserve[train]'`, "
        "or `pip install '.[train]'` in a clone.\n"
    )


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_every_command(shell: str, tmp_path: Path) -> None:
    done = run_python("-m", "seqserve", "--print-completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    names = [command.name for command in (*cli.COMMANDS, *TRAIN_COMMANDS)]
    for name in [*names, "--max-tokens", "--beams", "--print-completion"]:
        assert name in done.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True, timeout=60)


@pytest.mark.parametrize(
    ("module", "arguments", "shown"),
    [
        ("service", ["--help"], "usage: seqserve serve "),
        ("service", ["check", "--help"], "usage: seqserve check "),
        ("training", ["--help"], "usage: seqserve train "),
    ],
)
def test_in_a_clone_the_folders_are_commands(module: str, arguments: list[str], shown: str) -> None:
    done = run_python("-m", module, *arguments)
    assert done.returncode == 0
    assert done.stdout.startswith(shown)


CHECK = """
import sys
from pathlib import Path
from seqserve.service.server.checking import ModelCheck
with ModelCheck((Path(sys.argv[1]),), provider="cpu") as check:
    print(*(report.name for report in check.wait()))
"""
HOSTILE = "raise SystemExit('the foreign one')\n"


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder that holds modules with the names of ours."""
    for name in ("service", "training", "bundle", "models", "benchmarks"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(HOSTILE, "utf-8")
    for name in ("cli", "errors", "settings", "answers", "command", "common"):
        (tmp_path / f"{name}.py").write_text(HOSTILE, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-m", "seqserve", "check", str(BUNDLES / "tiny-ner" / "1")], "is sound"),
        (["-m", "seqserve", "models", str(BUNDLES)], "tiny-translate"),
        (["-m", "seqserve", "serve", "--help"], "--max-body-bytes"),
        (["-m", "seqserve", "train", "corpora", "--help"], "--fetch"),
        (["-c", "from seqserve.cli import main; main(['train', 'quantize', '--help'])"], "seqserve train quantize"),
        (["-c", CHECK, str(BUNDLES / "tiny-ner" / "1")], "tiny-ner"),
    ],
    ids=["check", "models", "serve", "corpora", "script", "check process"],
)
def test_foreign_modules_with_our_names_are_not_run(foreign: Path, arguments: list[str], expected: str) -> None:
    done = run_python(*arguments, cwd=foreign, path=f"{foreign}{os.pathsep}{ROOT}")
    assert (done.returncode, done.stderr) == (0, "")
    assert expected in done.stdout
