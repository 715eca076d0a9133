"""`seqserve train evaluate` on a counter: the mean count of a line."""

import argparse

from seqserve.counter.model import CounterBundle

KIND = "counter"
ARGUMENTS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: a counter takes no arguments of its own."""


def run(bundle: CounterBundle, arguments: argparse.Namespace) -> int:
    """Print the mean count."""
    counts = bundle.run([line.split() for line in arguments.file.read_text(encoding="utf-8").splitlines()])
    print(sum(counts) / len(counts))
    return 0
