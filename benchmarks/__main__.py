"""`python -m benchmarks`: how fast the service is, beside what the machine allows, beside others, beside its targets.

    python -m benchmarks [NAME...] [--rounds 5] [--seconds 3] [--to FOLDER]
    python -m benchmarks --list
    python -m benchmarks faults --help

Everything runs on the same two cores, the clients too. Each round takes every measurement once; a ratio is taken within
its round, and the table has medians over rounds. FOLDER gets report.md, results.json, rates.png and latencies.png.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from benchmarks import run

_MEASURE = "benchmarks.load.command"
_COMMANDS = {"faults": "benchmarks.faults.command"}
"""Modules by first word; any other first word is a name or an option of a measurement."""


def main(words: Sequence[str] | None = None) -> int:
    """Run what the first word names."""
    words = list(sys.argv[1:] if words is None else words)
    if words and words[0] in _COMMANDS:
        return int(import_module(_COMMANDS[words[0]]).main(words[1:]))
    return int(import_module(_MEASURE).main(words, about=__doc__ or ""))


if __name__ == "__main__":
    run(main)
