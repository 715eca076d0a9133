"""How a tagger and a language model take text as people write it, through servers that are started here.

    python -m benchmarks.text_robustness [NAME …] [--tagger BUNDLE] [--lm BUNDLE] [--data DIR] [--errors 5]
    python -m benchmarks.text_robustness speed [--against DIR] [--data DIR]

Names: tagging (probes under transformations, names in frames, lists, tables), language (a text in two parts, unknown
words, typographic punctuation), corpora (English test sets, given tokens and raw text), speed. Without names all run
but speed, and corpora only with --data. Texts are of this repository; with --data, sentences to cut and misspellings
are drawn from Tatoeba, Standard Ebooks and JFLEG as well.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.raw_text import tag_over_http
from benchmarks.running_service import running_service
from benchmarks.text_robustness.corpora import corpora_figures
from benchmarks.text_robustness.figures import Figure, error_lines, table
from benchmarks.text_robustness.language import language_figures
from benchmarks.text_robustness.speed import speed_figures
from benchmarks.text_robustness.tagging import tagging_figures

Groups = Iterator[tuple[str, list[Figure]]]


def main(words: Sequence[str] | None = None) -> int:
    """Print the tables; a figure that misses its target is no failure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text_robustness", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(_PARTS)}")
    parser.add_argument("--tagger", type=Path, default=Path("models/ner-en/2"), metavar="BUNDLE")
    parser.add_argument("--lm", type=Path, default=Path("models/lm-en/1"), metavar="BUNDLE", help="of words")
    parser.add_argument("--data", metavar="DIR", help="data folder, for more sentences and pairs")
    parser.add_argument("--against", type=Path, metavar="DIR", help="checkout of another commit, for `speed`")
    parser.add_argument("--errors", type=int, default=0, metavar="N", help="show N wrong answers behind each figure")
    arguments = parser.parse_args(words)
    if unknown := set(arguments.names) - set(_PARTS):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    if arguments.data is not None:
        os.environ["SEQSERVE_DATA"] = arguments.data
    usual = ["tagging", "language"] if arguments.data is None else ["tagging", "language", "corpora"]
    for name in arguments.names or usual:
        for title, figures in _PARTS[name](arguments):
            _print(title, figures, arguments.errors)
    return 0


def _tagging(arguments: argparse.Namespace) -> Groups:
    with running_service(arguments.tagger) as service:
        yield from tagging_figures(lambda texts: tag_over_http(service, "text", texts, borders=("start", "end")))


def _language(arguments: argparse.Namespace) -> Groups:
    with running_service(arguments.lm) as service:
        yield from language_figures(service, has_data=arguments.data is not None)


def _corpora(arguments: argparse.Namespace) -> Groups:
    with running_service(arguments.tagger) as service:
        yield from corpora_figures(service)


def _speed(arguments: argparse.Namespace) -> Groups:
    yield from speed_figures(arguments.tagger, arguments.against, Path(arguments.data or "data"))


_PARTS: Mapping[str, Callable[[argparse.Namespace], Groups]] = {
    "tagging": _tagging,
    "language": _language,
    "corpora": _corpora,
    "speed": _speed,
}


def _print(title: str, figures: Sequence[Figure], num_errors: int) -> None:
    print(f"## {title}\n\n{table(figures)}\n", flush=True)
    if num_errors and (lines := error_lines(figures, num_errors)):
        print(f"```\n{lines}\n```\n", flush=True)
