"""`seqserve train evaluate` on a counter: the mean count of a line."""

import argparse

from seqserve.counter.model import CounterBundle

KIND = "counter"
ARGUMENTS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: a counter takes no arguments of its own."""


def run(bundle: CounterBundle, arguments: argparse.Namespace) -> tuple[dict[str, float], str]:
    """Return the mean count, for JSON and for people."""
    counts = bundle.run([line.split() for line in arguments.file.read_text(encoding="utf-8").splitlines()])
    mean = sum(counts) / len(counts)
    return {"mean": mean}, str(mean)
