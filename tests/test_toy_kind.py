"""A new kind of model is folders of its own and a line in each of four tables, and is then everywhere."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
OWN = ROOT / "tests" / "toy_kind"

MOST_EDITED = 4
"""Files that a contributor edits for a new kind, besides its own folders: the four tables of kinds and commands."""

TABLES = {
    "seqserve/kinds.py": (
        ("from seqserve.entries", "from seqserve.counter.load import COUNTER\n"),
        ("        TRANSDUCER,\n", "        COUNTER,\n"),
    ),
    "seqserve/cli.py": (
        (
            '    Command("check"',
            '    Command("count", "seqserve.commands.count", "count the words of each line of a file"),\n',
        ),
    ),
    "service/kinds.py": (
        (
            '    "transduce": ',
            '    "count": ServedKind(open_encoder, lambda *described: None, ("counted",), (count.ROUTE,)),\n',
        ),
        ("from seqserve.service.routes.route", "from seqserve.service.routes import count\n"),
    ),
    "training/kinds.py": (
        ('    "transduce": ', '    "count": Kind(CounterConfig, "counters"),\n'),
        (
            "from seqserve.training.gradients.config",
            "from seqserve.training.counters.config import CounterConfig\n",
        ),
    ),
}
"""By file, the lines of the toy kind, each with the begin of the line that it comes before: an entry and its import."""


def test_a_kind_is_its_folders_and_a_line_in_each_table(tmp_path: Path) -> None:
    assert len(TABLES) <= MOST_EDITED
    for package in ("seqserve", "service", "training"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(OWN / package, tmp_path / package, dirs_exist_ok=True)
    for name, lines in TABLES.items():
        path = tmp_path / name
        text = path.read_text(encoding="utf-8")
        for before, line in lines:
            assert text.count(before) == 1, f"{name}: {before!r} is there {text.count(before)} times"
            text = text.replace(before, line + before)
        path.write_text(text, encoding="utf-8")
    shutil.copy(OWN / "ask.py", tmp_path)
    ran = subprocess.run([sys.executable, "ask.py"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "all answered"
