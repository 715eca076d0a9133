"""`python -m benchmarks faults [NAMES...]`: do things to a running service and say which promises hold.

Faults: overload, stalled, hostile, greedy, slow_reader, probes, drain, reload, kill, stuck, memory (only when named: it
takes hours in full).
Results go to --to as one JSON file by fault, and to standard output as a Markdown table.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.faults import (
    drain,
    greedy,
    hostile,
    kill,
    memory,
    overload,
    probes,
    reload,
    slow_reader,
    stalled,
    stuck,
)
from benchmarks.faults.finding import Finding, table
from benchmarks.faults.models_folder import DEFAULT_NAMES, make_models_folder
from benchmarks.faults.plan import Plan

FAULTS: dict[str, Callable[[Plan], Finding]] = {
    "overload": overload.find,
    "stalled": stalled.find,
    "hostile": hostile.find,
    "greedy": greedy.find,
    "slow_reader": slow_reader.find,
    "probes": probes.find,
    "drain": drain.find,
    "reload": reload.find,
    "kill": kill.find,
    "stuck": stuck.find,
    "memory": memory.find,
}
_LONG = ("memory",)
_MORE_MODELS = {"hostile": hostile.MODELS, "greedy": greedy.MODELS, "slow_reader": slow_reader.MODELS}
"""Bundles that a fault needs beside those that are named."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the named faults, each on services of its own; exit status 1 when a promise does not hold."""
    parser = _parser()
    arguments = parser.parse_args(words)
    if unknown := [name for name in arguments.names if name not in FAULTS]:
        parser.error(f"there is no fault {unknown[0]!r}; there are: {', '.join(FAULTS)}")
    findings = []
    for name in arguments.names or [each for each in FAULTS if each not in _LONG]:
        print(f"{name} ...", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            bundles = dict.fromkeys([*arguments.bundles.split(","), *_MORE_MODELS.get(name, ())])
            plan = Plan(
                models=make_models_folder(Path(folder), arguments.models, list(bundles)),
                to=arguments.to,
                seconds=60 * arguments.minutes,
                rounds=arguments.rounds,
                requests=arguments.requests,
                settings=tuple(arguments.settings.split()),
            )
            finding = FAULTS[name](plan)
        path = finding.write(arguments.to)
        print(f"{finding.rows()}\n\n{path}", flush=True)
        findings.append(finding)
    report = table(findings)
    (arguments.to / "faults.md").write_text(report + "\n", "utf-8")
    print(f"\n{report}")
    return 0 if all(finding.holds for finding in findings) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks faults", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(FAULTS)} (all but memory)")
    parser.add_argument("--minutes", type=float, default=1.0, metavar="N", help="of faults that last (1)")
    parser.add_argument("--rounds", type=int, default=20, metavar="N", help="stops and reloads (20)")
    parser.add_argument("--requests", type=int, default=1_000_000, metavar="N", help="of the memory run (1,000,000)")
    parser.add_argument("--to", type=Path, default=Path("runs/faults"), metavar="FOLDER", help="runs/faults")
    parser.add_argument("--models", type=Path, default=Path("models"), metavar="FOLDER", help="bundles (models)")
    parser.add_argument(
        "--bundles",
        default=",".join(DEFAULT_NAMES),
        metavar="NAMES",
        help=f"a tagger, a classifier and a language model of it ({','.join(DEFAULT_NAMES)})",
    )
    parser.add_argument(
        "--settings", default="", metavar="FLAGS", help='further flags of the service, as "--workers 2"'
    )
    return parser
