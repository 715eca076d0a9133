"""`python -m benchmarks.text_robustness`: see command.py."""

from benchmarks import run
from benchmarks.text_robustness.command import main

if __name__ == "__main__":
    run(main)
