"""The pages say what is true: commands, options, settings and paths exist, and no number is still missing."""

import contextlib
import functools
import io
import itertools
import re
import runpy
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from seqserve.cli import COMMANDS
from seqserve.service.metrics.definitions import METRICS
from seqserve.service.routes.table import ROUTES

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
    *(str(card.relative_to(ROOT)) for card in sorted(ROOT.glob("models/*/1/README.md"))),
)
HOUSE = ("seqserve", "service", "training", "models", "tests", "benchmarks", "docs", "requirements", ".ci")
MADE_BY_COMMANDS = ("runs/", "data/")
UNFINISHED = re.compile(r"\b(?:TBD|TBC|XXX|TK|lorem)\b|\?\?\?|to be (?:filled|measured|done)", re.IGNORECASE)


def page(name: str) -> str:
    """Text of one page."""
    return (ROOT / name).read_text("utf-8")


def command(name: str) -> str:
    """The one-line command under `<!-- command: NAME -->` in README.md."""
    found = re.findall(rf"^<!-- command: {name} -->\n```bash\n(.+)\n```$", page("README.md"), re.MULTILINE)
    assert len(found) == 1, f"README.md must have exactly one one-line command {name!r}"
    return str(found[0])


def shell_lines() -> list[tuple[str, str]]:
    """(page, line) of every command in a fenced bash block, comments cut off."""
    lines = []
    for name in PAGES:
        for block in re.findall(r"^```bash\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL):
            lines += [
                (name, re.sub(r"\s+#.*", "", line)) for line in block.replace("\\\n", " ").splitlines() if line.strip()
            ]
    return lines


def calls_of(program: str) -> list[list[str]]:
    """Arguments of every call of a program in the pages' commands and inline code: `seqserve`, `python -m MODULE`."""
    inline = [code for name in PAGES for code in re.findall(r"`([^`\n]+)`", page(name))]
    texts = [line for _, line in shell_lines()] + inline
    called = re.compile(rf"(?:^|[\s/]){re.escape(program)}(?![\w.\[-]) *(.*)")
    calls = [re.split(r"\s*(?:&&|\||>|;)\s*", found[1])[0] for text in texts if (found := called.search(text))]
    return [call.split() for call in calls]


@functools.cache
def help_of(*arguments: str) -> str:
    """What `python -m ARGUMENTS --help` prints; fails the test when it does not end with status 0.

    It runs in this process: torch would take seconds to load for each page of help.
    """
    name, *words = arguments
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # runpy's, on a module that a test has imported already
        patch.setattr(sys, "argv", [name, *words, "--help"])
        with pytest.raises(SystemExit) as ended:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
    assert not ended.value.code, f"python -m {' '.join(arguments)} --help ends with {ended.value.code}"
    return printed.getvalue()


def assert_calls_are_known(module: str, program: str = "") -> None:
    """Every subcommand and every option that the pages give to a program stands in its help."""
    calls = calls_of(program or f"python -m {module}")
    assert calls, f"no page calls {program or module}"
    for arguments in calls:
        words = list(itertools.takewhile(re.compile(r"[a-z][a-z0-9]*").fullmatch, arguments))
        text = help_of(module, *words[: 2 if words[:1] == ["train"] else 1])
        for option in re.findall(r"(?<!\S)--[a-z][a-z0-9-]*", " ".join(arguments)):
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", text), (
                f"python -m {module} {' '.join(arguments)}: no option {option}"
            )


def test_ci_runs_the_readme_test_command() -> None:
    done = subprocess.run([str(ROOT / ".ci" / "run"), "--show"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == command("test")
    assert command("test").endswith("-m pytest")


def test_first_screen_holds_the_three_commands() -> None:
    screen = "\n".join(page("README.md").splitlines()[:45])
    for name in ("serve", "ask", "test"):
        assert command(name) in screen


def test_serve_command_installs_only_the_base() -> None:
    assert "pip install . " in command("serve")
    assert command("serve").endswith("/seqserve serve")


def test_calls_of_the_command_are_known() -> None:
    pytest.importorskip("torch")
    assert_calls_are_known("seqserve", "seqserve")


def test_benchmark_calls_are_known() -> None:
    pytest.importorskip("torch")
    names = {name for page_name in PAGES for name in re.findall(r"python -m (benchmarks(?:\.\w+)*)", page(page_name))}
    assert names
    for name in sorted(names):
        assert_calls_are_known(name)


@pytest.mark.parametrize("name", [*PAGES, "Dockerfile"])
def test_settings_are_known(name: str) -> None:
    for setting in set(re.findall(r"SEQSERVE_[A-Z_]+", page(name))):
        assert setting in help_of("seqserve", "serve"), (
            f"{name} names {setting}, which python -m service --help does not know"
        )


@pytest.mark.parametrize("name", ["README.md", "docs/operations.md"])
def test_options_named_in_running_text_are_known(name: str) -> None:
    named = set(re.findall(r"`(--[a-z-]+)[^`]*`", page(name)))
    assert named
    known = "".join(help_of("seqserve", command.name) for command in COMMANDS)
    assert not [option for option in named if option not in known]


def test_metrics_are_explained_and_no_others() -> None:
    text = page("docs/operations.md")
    named = {
        name
        for row in re.findall(r"^\| (`seqserve_.*?) \|", text, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    metrics = {f"seqserve_{each.name}" + ("_total" if each.kind == "counter" else "") for each in METRICS.values()}
    # Of names that begin alike only the first is written in full.
    assert all(
        name in metrics if name.startswith("seqserve") else any(name in each for each in metrics) for name in named
    )
    assert all(any(name in metric for name in named) for metric in metrics)


@pytest.mark.parametrize("name", PAGES)
def test_routes_are_served(name: str) -> None:
    served = {(route.method.upper(), route.path) for route in ROUTES}
    named = set(re.findall(r"`(GET|POST) (/[\w/.]*)`", page(name)))
    assert named <= served
    assert named or name != "README.md"


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page(name)):
        if not target.startswith(("http://", "https://")):
            assert ((ROOT / name).parent / target).exists(), f"{name} links to {target}"


@pytest.mark.parametrize("name", PAGES)
def test_paths_exist(name: str) -> None:
    """Paths of the project in inline code and in commands exist, except those that a command makes and <patterns>."""
    texts = re.findall(r"`([^`\n]+)`", page(name)) + [line for where, line in shell_lines() if where == name]
    for text in texts:
        for word in re.findall(rf"(?<![\w/.-])(?:{'|'.join(map(re.escape, HOUSE))})/[^\s`\"',:;)]*", text):
            if "<" not in word and "*" not in word:
                assert (ROOT / word).exists(), f"{name} names {word}"


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_left_unfinished(name: str) -> None:
    found = UNFINISHED.search(page(name))
    assert found is None, f"{name}: {found.group(0) if found else ''}"


def result_blocks() -> list[tuple[str, str, str]]:
    """(page, name, body) of every `<!-- results: NAME --> … <!-- /results -->`."""
    pattern = re.compile(r"<!-- results: ([\w-]+) -->\n(.*?)<!-- /results -->", re.DOTALL)
    return [(name, *match) for name in PAGES for match in pattern.findall(page(name))]


def test_every_results_block_is_closed() -> None:
    opened = sum(page(name).count("<!-- results: ") for name in PAGES)
    assert opened == len(result_blocks()) > 0


@pytest.mark.parametrize(
    ("name", "title", "body"), [pytest.param(*block, id=f"{block[0]}-{block[1]}") for block in result_blocks()]
)
def test_results_have_numbers_and_commands(name: str, title: str, body: str) -> None:
    """A results block holds a command (in code) that prints it, and at least one figure outside that command."""
    commands = re.compile(r"```bash\n.*?```|`[^`\n]+`", re.DOTALL)
    assert commands.search(body), f"{name}: the results block {title!r} names no command"
    assert re.search(r"\d", commands.sub("", body)), f"{name}: the results block {title!r} holds no figure"
