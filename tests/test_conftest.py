"""The fixture that watches for leftovers sees them, and lets a tidy test pass."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

THREAD = """
import threading
def test_it():
    threading.Thread(target=threading.Event().wait, args=(20,), name="forgotten", daemon=True).start()
"""
PROCESS = """
import subprocess, sys
kept = []
def test_it():
    kept.append(subprocess.Popen([sys.executable, "-c", "'forgotten'; import time; time.sleep(5)"]))
"""
TIDY = """
import subprocess, sys, threading
def test_it():
    threading.Thread(target=print).start()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
"""


def run_under_our_conftest(folder: Path, source: str) -> subprocess.CompletedProcess[str]:
    """Run one test file beside a copy of our conftest.py, in a pytest of its own."""
    ours = (Path(__file__).parent / "conftest.py").read_text("utf-8")
    assert "GRACE_S = 5.0" in ours
    (folder / "conftest.py").write_text(ours.replace("GRACE_S = 5.0", "GRACE_S = 0.5"), "utf-8")
    (folder / "test_sample.py").write_text(source, "utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        "--rootdir",
        str(folder),
        str(folder),
    ]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # they take longer to load than the test
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("source", [THREAD, PROCESS], ids=["thread", "process"])
def test_leftovers_fail_the_test(tmp_path: Path, source: str) -> None:
    done = run_under_our_conftest(tmp_path, source)
    assert done.returncode == 1
    assert "the test left behind" in done.stdout
    assert "forgotten" in done.stdout


def test_a_tidy_test_passes(tmp_path: Path) -> None:
    done = run_under_our_conftest(tmp_path, TIDY)
    assert done.returncode == 0, done.stdout
