"""Start each peer in turn, and check that it answers as the bundle alone does.

python -m benchmarks.peers [NAME …] [--bundle models/ner-en/2] [--environments FOLDER]
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import run
from benchmarks.peers import PEERS, Peer, running
from benchmarks.peers.peer import Entities
from benchmarks.peers.requirements import ENVIRONMENTS, version_of
from benchmarks.peers.running_peer import ask, processes_of
from benchmarks.peers.sentences import SENTENCES
from benchmarks.peers.tagging import tagging_of
from seqserve.errors import SeqserveError

_COMPARED = ("text", "label", "start", "end")
_MB = 1_000_000


def is_right(found: Entities, expected: Entities) -> bool:
    """Say whether both hold the same names in the same places."""
    return _compared(found) == _compared(expected)


def _compared(entities: Entities) -> list[tuple[object, ...]]:
    return [tuple(entity[name] for name in _COMPARED) for entity in entities]


def resident_bytes(process_id: int) -> int:
    """A process's share of resident memory: pages that several map count once among them."""
    for line in Path(f"/proc/{process_id}/smaps_rollup").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "Pss":
            return int(value.split()[0]) * 1024
    return 0


def check(peer: Peer, bundle: Path, environments: Path) -> tuple[str, bool]:
    """One line on a peer, and whether all its answers were right."""
    expected = tagging_of(bundle).entities(SENTENCES)
    with running(peer, bundle, environments) as port:
        right = sum(is_right(ask(peer, port, text), known) for text, known in zip(SENTENCES, expected, strict=True))
        processes = processes_of(port)
        resident = sum(map(resident_bytes, processes))
    counted = f"{right} of {len(SENTENCES)} answers right"
    line = f"{peer.name} {version_of(peer.name)}: {len(processes)} processes, {resident / _MB:.0f} MB, {counted}"
    return line, right == len(SENTENCES)


def main(words: Sequence[str] | None = None) -> int:
    """Print one line a peer; the status is 1 when one does not start or has a wrong answer."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(PEERS)} (all)")
    parser.add_argument("--bundle", type=Path, default=Path("models/ner-en/2"), metavar="BUNDLE")
    parser.add_argument("--environments", type=Path, default=ENVIRONMENTS, metavar="FOLDER")
    arguments = parser.parse_args(words)
    if unknown := set(arguments.names) - PEERS.keys():
        parser.error(f"no peers: {', '.join(sorted(unknown))}")
    failures = 0
    for name in arguments.names or PEERS:
        try:
            line, is_well = check(PEERS[name], arguments.bundle, arguments.environments)
            failures += not is_well
            print(line, flush=True)
        except SeqserveError as error:
            failures += 1
            print(f"error: {error}", file=sys.stderr, flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    run(main)
