"""Measure what is asked for: print the table, write report, numbers and pictures."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.load import machine, report
from benchmarks.load.bench import Bench, Options
from benchmarks.load.rounds import honesty_rows, interleaved
from benchmarks.load.rows import Rounds, Row, Take, Theme
from benchmarks.load.texts import mixed, read_texts, twenty_tokens
from benchmarks.load.themes import THEMES
from seqserve.errors import SeqserveError

_WORD_MODELS = (Path("runs/models/lm-ptb/1"), Path("models/lm-en/1"))
"""The first that exists: 10,000 words of a corpus that may not be given away, or the shipped 50,000."""


def main(words: Sequence[str], *, about: str) -> int:
    """Run the measurements that the words name; about: the description of --help. Raises SeqserveError."""
    arguments = _parser(about).parse_args(words)
    if arguments.list:
        print("\n".join(f"{theme.name:<12} {theme.about}" for theme in THEMES.values()))
        print("faults       what happens under overload, hostile clients, restarts and kills: its own --help")
        return 0
    themes = _chosen(arguments.names)
    machine.use_cores(arguments.cores)
    texts, source = read_texts(arguments.text, arguments.data)
    options = _options(arguments, texts)
    started_at = time.perf_counter()
    rounds = _measured(themes, options, arguments.rounds)
    seconds = time.perf_counter() - started_at
    rows = [*(row for theme in themes for row in theme.rows(rounds)), *honesty_rows(rounds)]
    _write(arguments, rows, rounds, _circumstances(arguments, options, source, seconds))
    return 0


def _chosen(names: Sequence[str]) -> list[Theme]:
    unknown = [name for name in names if name not in THEMES]
    if unknown:
        raise SeqserveError(f"there is no benchmark {unknown[0]!r}: {', '.join(THEMES)}")
    return [THEMES[name] for name in names or THEMES]


def _options(arguments: argparse.Namespace, texts: Sequence[str]) -> Options:
    return Options(
        tagger=arguments.tagger,
        char_model=arguments.char_model,
        word_model=arguments.word_model or next(path for path in _WORD_MODELS if path.is_dir()),
        scorer=arguments.scorer,
        short=tuple(twenty_tokens(texts, 128)),
        mixed=tuple(mixed(texts, 1024)),
        seconds=arguments.seconds,
        environments=arguments.environments,
        against=arguments.against,
    )


def _measured(themes: Sequence[Theme], options: Options, num_rounds: int) -> Rounds:
    """Return the numbers of every round; a theme that cannot be measured here is left out with a line on stderr."""
    with Bench(options) as bench, ExitStack() as stack:
        takes: dict[str, Take] = {}
        for theme in themes:
            _say(f"getting ready: {theme.name}")
            try:
                takes = {**stack.enter_context(theme.takes(bench)), **takes}
            except SeqserveError as error:
                _say(f"skipped: {theme.name}: {error}")
        if not takes:
            raise SeqserveError("none of these benchmarks can run here")
        return interleaved(takes, num_rounds, _say)


def _circumstances(arguments: argparse.Namespace, options: Options, source: str, took_s: float) -> dict[str, Any]:
    return {
        **machine.describe(),
        "date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "took_s": round(took_s, 1),
        "text": source,
        "seconds": arguments.seconds,
        "models": [str(folder) for folder in (options.tagger, options.char_model, options.word_model)],
    }


def _write(arguments: argparse.Namespace, rows: Sequence[Row], rounds: Rounds, about: dict[str, Any]) -> None:
    asked = f"{arguments.rounds} round{'s' if arguments.rounds > 1 else ''} of {arguments.seconds:g} s"
    place = f"{about['cpu']}, {about['cores']} cores; {about['date'][:10]}; {asked}, {about['text']}"
    text = f"{place}.\nModels: {', '.join(about['models'])}.\n\n{report.table(rows)}"
    print(text)
    arguments.to.mkdir(parents=True, exist_ok=True)
    (arguments.to / "report.md").write_text(text + "\n", encoding="utf-8")
    report.write_json(arguments.to / "results.json", rows, rounds, about)
    try:
        from benchmarks.load.charts import draw  # matplotlib, which may be missing

        draw(arguments.to, rounds, place)
    except ModuleNotFoundError as error:
        _say(f"no pictures: {error}")
    _say(f"written to {arguments.to}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser(about: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure, see --list (all)")
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument(
        "--rounds", type=_positive(int), default=5, metavar="N", help="times that each measurement is taken (5)"
    )
    parser.add_argument(
        "--seconds", type=_positive(float), default=3.0, metavar="S", help="seconds of one measurement (3)"
    )
    parser.add_argument(
        "--to", type=Path, default=Path("runs/benchmarks"), metavar="FOLDER", help="for the results (runs/benchmarks)"
    )
    parser.add_argument("--text", type=Path, metavar="FILE", help="sentences, one a line (UNER EWT of the data folder)")
    parser.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help="data folder (data)")
    parser.add_argument("--tagger", type=Path, default=Path("models/ner-en/2"), metavar="BUNDLE")
    parser.add_argument("--char-model", type=Path, default=Path("models/lm-char-en/1"), metavar="BUNDLE")
    parser.add_argument("--word-model", type=Path, metavar="BUNDLE", help=f"({', else '.join(map(str, _WORD_MODELS))})")
    parser.add_argument("--scorer", type=Path, default=Path("models/lm-en/1"), metavar="BUNDLE", help="beside KenLM")
    parser.add_argument("--environments", type=Path, metavar="DIR", help="virtual environments of the peers (.peers)")
    parser.add_argument("--against", type=Path, metavar="DIR", help="checkout of another commit, for `layers`")
    parser.add_argument("--cores", type=int, default=2, metavar="N", help="cores for everything together (2); 0: all")
    return parser


def _positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    def number(word: str) -> float:
        value = kind(word)
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"must be above 0, not {word}")
        return value

    return number
