"""Sends the service requests made up from its own /openapi.json, valid and invalid, and checks every answer.

python -m benchmarks.bad_input [--cases 20000] [--models FOLDER | --port N] [--seed 0]

No answer may be 5xx, have a status, content type, header or body that is not described, or take an invalid body for
good; no worker may end. What does not hold is printed with a curl command that sends it again; the exit status is 1.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from benchmarks import run
from benchmarks.running_service import running_service
from benchmarks.schema_cases import (
    MOST_STEPS,
    Tally,
    border_cases,
    load_schema,
    model_names,
    modes_of,
    operations,
    send_random,
)

BUNDLES = Path(__file__).parents[1] / "tests" / "fixtures" / "bundles"
_ROUND_CASES = 250
_SHOWN_CHARS = 1_500


def explore(port: int, tally: Tally, *, num_cases: int, seed: int) -> None:
    """Send the cases at all borders, then random ones in turn to every operation, until there are `num_cases`."""
    schema, models = load_schema(port), model_names(port)
    with tqdm(total=num_cases, unit="case", disable=None) as bar:
        for operation in operations(schema):
            for case in border_cases(schema, operation):
                tally.send(case)
            bar.update(tally.total - bar.n)
        left = [(operation, mode) for operation in operations(schema) for mode in modes_of(operation)]
        round_seed = seed
        while left and tally.total < num_cases:
            wanted = min(_ROUND_CASES, math.ceil((num_cases - tally.total) / len(left)))
            for each in tuple(left):
                # Fewer than asked for: an operation without parameters has but one request.
                if send_random(tally, *each, models, num_cases=wanted, seed=round_seed) < wanted // 2:
                    left.remove(each)
                bar.update(tally.total - bar.n)
            round_seed += 1


def print_report(tally: Tally) -> None:
    """Print what was sent as a Markdown table, and then every finding."""
    print("| operation | requests | answered | slowest, ms |\n|---|---:|---|---:|")
    for label, counts in tally.statuses.items():
        shown = ", ".join(f"{status or 'none'}: {number}" for status, number in sorted(counts.items()))
        print(f"| {label} | {counts.total()} | {shown} | {1000 * tally.slowest_s[label]:.0f} |")
    print(f"\n{tally.total} requests, {sum(tally.num_found.values())} broken promises")
    for key, finding in tally.findings.items():
        print(f"\n{finding.operation}: {finding.title} ({tally.num_found[key]} times)")
        print(f"{finding.detail[:_SHOWN_CHARS]}\n{finding.curl}")


def check(port: int, *, num_cases: int, seed: int) -> int:
    """Send the cases to a server and print the report; return 1 when a promise was broken, else 0."""
    tally = Tally()
    try:
        explore(port, tally, num_cases=num_cases, seed=seed)
    finally:
        tally.close()
    print(f"seed {seed}; at most {MOST_STEPS} rows times tokens a request\n")
    print_report(tally)
    return 1 if tally.findings else 0


def workers_of(process_id: int) -> set[int]:
    """Ids of the processes that a process has started; Linux only."""
    listings = Path("/proc", str(process_id), "task").glob("*/children")
    return {int(number) for listing in listings for number in listing.read_text().split()}


def main(words: Sequence[str] | None = None) -> int:
    """Run the cases and print what came back."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bad_input", description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=20_000, metavar="N", help="requests to send (20000)")
    parser.add_argument("--models", type=Path, default=BUNDLES, metavar="FOLDER", help="bundles (the tests' tiny ones)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the random requests (0)")
    parser.add_argument("--port", type=int, metavar="N", help="a server that runs here already, in place of our own")
    arguments = parser.parse_args(words)
    if arguments.port is not None:
        return check(arguments.port, num_cases=arguments.cases, seed=arguments.seed)
    with running_service(arguments.models) as service:
        print(f"models: {arguments.models}")
        workers = workers_of(service.process_id)
        status = check(service.port, num_cases=arguments.cases, seed=arguments.seed)
        ended = workers - workers_of(service.process_id)
    if ended:
        print(f"\n{len(ended)} workers ended meanwhile")
    return 1 if ended else status


if __name__ == "__main__":
    run(main)
