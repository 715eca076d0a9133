"""`python -m benchmarks.faults`: the same as `python -m benchmarks faults`."""

from benchmarks import run
from benchmarks.faults.command import main

run(main)
