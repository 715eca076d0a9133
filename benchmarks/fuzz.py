"""Runs every property test of the suite again and again, each with 1,000 examples and another seed each time.

python -m benchmarks.fuzz --minutes N [--seed 0] [TESTS ...]

Stops at the first failure, which hypothesis has made small, and exits with 1. The same tests run in the suite with 100
examples each.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import run

ROOT = Path(__file__).parents[1]
TESTS = ("tests/seqserve", "tests/service")
_PROFILE = "tests/fuzz"  # first of all, since its conftest.py holds the profile
_PYTEST = ("-q", "-x", "-m", "hypothesis", "--hypothesis-profile=long", "--timeout=0", "-p", "no:cacheprovider")


def fuzz(tests: Sequence[str], *, minutes: float, seed: int) -> tuple[int, bool]:
    """Run rounds until the time is over; return how many were whole, and whether nothing failed."""
    ends_at = time.monotonic() + 60 * minutes
    num_rounds = 0
    while (left_s := ends_at - time.monotonic()) > 0:
        command = [sys.executable, "-m", "pytest", *_PYTEST, f"--hypothesis-seed={seed + num_rounds}", *tests]
        try:
            done = subprocess.run(command, cwd=ROOT, timeout=left_s, check=False)
        except subprocess.TimeoutExpired:
            break
        if done.returncode != 0:
            return num_rounds, False
        num_rounds += 1
    return num_rounds, True


def main(words: Sequence[str] | None = None) -> int:
    """Run the property tests for a time."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, required=True, metavar="N", help="how long")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the first round (0)")
    parser.add_argument("tests", nargs="*", default=TESTS, metavar="TESTS", help="beside tests/fuzz (bundle, service)")
    arguments = parser.parse_args(words)
    num_rounds, is_good = fuzz([_PROFILE, *arguments.tests], minutes=arguments.minutes, seed=arguments.seed)
    print(f"\n{num_rounds} whole rounds, {'nothing failed' if is_good else 'the next one failed'}")
    return 0 if is_good else 1


if __name__ == "__main__":
    run(main)
