"""`python -m benchmarks`: how fast the service is, beside what the machine allows, beside others, beside its targets.

    python -m benchmarks [NAME...] [--rounds 5] [--seconds 3] [--to FOLDER]
    python -m benchmarks --list
    python -m benchmarks faults --help

Everything runs on the same two cores, the clients too. Each round takes every measurement once; a ratio is taken within
its round, and the table has medians over rounds. FOLDER gets report.md, results.json, rates.png and latencies.png.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import run
from seqserve.errors import SeqserveError

_WORD_MODELS = (Path("runs/models/lm-ptb/1"), Path("models/lm-en/1"))
"""The first that is there: 10,000 words of a corpus that may not be given away, or the shipped 50,000."""


def main(words: Sequence[str] | None = None) -> int:
    """Measure what is asked for, print the table, write the files."""
    words = list(sys.argv[1:] if words is None else words)
    if words and words[0] == "faults":
        from benchmarks.faults.command import main as faults  # late: a measurement needs none of it

        return faults(words[1:])
    from benchmarks.load import machine, report
    from benchmarks.load.bench import Bench, Options
    from benchmarks.load.rounds import honesty_rows, interleaved
    from benchmarks.load.rows import Take
    from benchmarks.load.texts import mixed, read_texts, twenty_tokens
    from benchmarks.load.themes import THEMES

    arguments = _parser().parse_args(words)
    if arguments.list:
        print("\n".join(f"{theme.name:<12} {theme.about}" for theme in THEMES.values()))
        print("faults       what happens under overload, hostile clients, restarts and kills: its own --help")
        return 0
    unknown = [name for name in arguments.names if name not in THEMES]
    if unknown:
        raise SeqserveError(f"there is no benchmark {unknown[0]!r}: {', '.join(THEMES)}")
    chosen = [THEMES[name] for name in arguments.names or THEMES]
    machine.use_cores(arguments.cores)
    texts, source = read_texts(arguments.text, arguments.data)
    options = Options(
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
    about = machine.describe()
    asked = f"{arguments.rounds} round{'s' if arguments.rounds > 1 else ''} of {arguments.seconds:g} s, {source}"
    place = f"{about['cpu']}, {about['cores']} cores; {datetime.now(UTC):%Y-%m-%d}; {asked}"
    started_at = time.perf_counter()
    with Bench(options) as bench, ExitStack() as stack:
        takes: dict[str, Take] = {}
        for theme in chosen:
            _say(f"getting ready: {theme.name}")
            try:
                takes = {**stack.enter_context(theme.takes(bench)), **takes}
            except SeqserveError as error:
                _say(f"skipped: {theme.name}: {error}")
        if not takes:
            raise SeqserveError("nothing of what was asked for can be measured here")
        rounds = interleaved(takes, arguments.rounds, _say)
    rows = [*(row for theme in chosen for row in theme.rows(rounds)), *honesty_rows(rounds)]
    text = f"{place}.\nModels: {options.tagger}, {options.char_model}, {options.word_model}.\n\n{report.table(rows)}"
    print(text)
    arguments.to.mkdir(parents=True, exist_ok=True)
    (arguments.to / "report.md").write_text(text + "\n", encoding="utf-8")
    about |= {
        "date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "took_s": round(time.perf_counter() - started_at, 1),
        "text": source,
        "seconds": arguments.seconds,
        "models": [str(folder) for folder in (options.tagger, options.char_model, options.word_model)],
    }
    report.write_json(arguments.to / "results.json", rows, rounds, about)
    try:
        from benchmarks.load.charts import draw

        draw(arguments.to, rounds, place)
    except ModuleNotFoundError as error:
        _say(f"no pictures: {error}")
    _say(f"written to {arguments.to}")
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure, see --list (all)")
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument("--rounds", type=_positive(int), default=5, metavar="N", help="(5)")
    parser.add_argument("--seconds", type=_positive(float), default=3.0, metavar="S", help="of one measurement (3)")
    parser.add_argument("--to", type=Path, default=Path("runs/benchmarks"), metavar="FOLDER", help="(runs/benchmarks)")
    parser.add_argument("--text", type=Path, metavar="FILE", help="sentences, one a line (UNER EWT of the data folder)")
    parser.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help="data folder (data)")
    parser.add_argument("--tagger", type=Path, default=Path("models/ner-en/1"), metavar="BUNDLE")
    parser.add_argument("--char-model", type=Path, default=Path("models/lm-char-en/1"), metavar="BUNDLE")
    parser.add_argument("--word-model", type=Path, metavar="BUNDLE", help=f"({', else '.join(map(str, _WORD_MODELS))})")
    parser.add_argument("--scorer", type=Path, default=Path("models/lm-en/1"), metavar="BUNDLE", help="beside KenLM")
    parser.add_argument("--environments", type=Path, metavar="DIR", help="virtual environments of the peers (.peers)")
    parser.add_argument("--against", type=Path, metavar="DIR", help="checkout of another commit, for `layers`")
    parser.add_argument("--cores", type=int, default=2, metavar="N", help="run everything on so many cores (2); 0: all")
    return parser


def _positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    def number(word: str) -> float:
        value = kind(word)
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"must be above 0, not {word}")
        return value

    return number


if __name__ == "__main__":
    run(main)
