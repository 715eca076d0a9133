"""What a real server answers to requests made up from its own description: a short run of benchmarks/bad_input.py."""

import subprocess
import sys

import pytest

from tests.live.served import ROOT, Served

pytest.importorskip("schemathesis")

CASES = 400


def test_every_answer_is_as_described(server: Served) -> None:
    # A process of its own: sessions that tests have opened set denormal numbers to zero, which hypothesis refuses.
    command = [sys.executable, "-m", "benchmarks.bad_input", "--port", str(server.port), "--cases", str(CASES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 broken promises" in done.stdout
    rows = [line for line in done.stdout.splitlines() if line.startswith("| POST /v1/")]
    assert len(rows) == 6
    assert all("200: " in row and "422: " in row for row in rows), done.stdout
