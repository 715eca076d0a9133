"""What the machine allows: the bare tagger graph in two processes of one thread each, both running at once."""

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqserve.loading import load_bundle
from seqserve.tagger.model import TaggerBundle
from seqserve.text.tokenization import tokenize

BATCH = 8
PROCESSES = 2
_LEAD_S = 0.2
"""From asking to starting, so that all processes start together."""

_here: dict[str, Any] = {}


class RawGraph:
    """Processes that hold the graph open; made by `raw_graph`."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def sentences_per_s(self, seconds: float) -> float:
        """Run the graph in all processes for so long; sentences/s of all together."""
        starts_at = time.perf_counter() + _LEAD_S  # one clock for all processes of a machine
        runs = [self._pool.submit(_run, starts_at, seconds) for _ in range(PROCESSES)]
        return sum(run.result() for run in runs)


@contextmanager
def raw_graph(bundle: Path, texts: Sequence[str]) -> Iterator[RawGraph]:
    """Open the graph in every process, with the texts as arrays of BATCH rows each."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=_open, initargs=(bundle, list(texts))) as pool:
        graph = RawGraph(pool)
        graph.sentences_per_s(0.2)
        yield graph


def _open(folder: Path, texts: list[str]) -> None:
    bundle: TaggerBundle = load_bundle(folder, TaggerBundle)
    rows = [[token.text for token in tokenize(text)] for text in texts]
    whole = range(0, len(rows) - BATCH + 1, BATCH) or [0]
    _here["graph"] = bundle.graph
    _here["feeds"] = [bundle.encode(rows[at : at + BATCH]).feeds() for at in whole]


def _run(starts_at: float, seconds: float) -> float:
    graph, feeds = _here["graph"], _here["feeds"]
    time.sleep(max(0.0, starts_at - time.perf_counter()))
    started_at = now = time.perf_counter()
    num_sentences = turn = 0
    while now < started_at + seconds:
        arrays = feeds[turn % len(feeds)]
        graph.run(arrays)
        num_sentences += len(arrays["lengths"])
        turn += 1
        now = time.perf_counter()
    return num_sentences / (now - started_at)
