"""How a tagger and a language model take text as people write it, through a server that is started here.

    python -m benchmarks.text_robustness [--tagger BUNDLE] [--errors 5]

Every text is of this repository: its probes under transformations, names in frames, lists and tables.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.raw_text import tag_over_http
from benchmarks.running_service import running_service
from benchmarks.text_robustness.figures import Figure, error_lines, table
from benchmarks.text_robustness.tagging import tagging_figures


def main(words: Sequence[str] | None = None) -> int:
    """Print the tables; a figure that misses its target is no failure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text_robustness", description=__doc__.split("\n")[0])
    parser.add_argument("--tagger", type=Path, default=Path("models/ner-en/1"), metavar="BUNDLE")
    parser.add_argument("--errors", type=int, default=0, metavar="N", help="show N wrong answers behind each figure")
    arguments = parser.parse_args(words)
    with running_service(arguments.tagger) as service:
        for title, figures in tagging_figures(
            lambda texts: tag_over_http(service, "text", texts, borders=("start", "end"))
        ):
            _print(title, figures, arguments.errors)
    return 0


def _print(title: str, figures: Sequence[Figure], num_errors: int) -> None:
    print(f"## {title}\n\n{table(figures)}\n", flush=True)
    if num_errors and (lines := error_lines(figures, num_errors)):
        print(f"```\n{lines}\n```\n", flush=True)
