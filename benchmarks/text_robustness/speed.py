"""How fast text is tokenised, and a whole tag request answered, against another checkout in turns."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.load.texts import ROOT, read_texts
from benchmarks.raw_text import tag_over_http
from benchmarks.running_service import RunningService, running_service
from benchmarks.text_robustness.figures import Figure
from seqserve.errors import SeqserveError
from seqserve.text.tokenization import tokenize

_CUT = """
import json, sys, time
from seqserve.text.sentences import split_sentences
from seqserve.text.tokenization import tokenize
texts = json.load(sys.stdin)
started = time.process_time()
for text in texts:
    split_sentences(text, tokenize(text), max_tokens=256)
print(time.process_time() - started)
"""
_ROUNDS_OF_TEXT, _ROUNDS_OF_REQUESTS = 15, 5
_TARGET, _AIM = 0.95, 1.0


def speed_figures(bundle: Path, against: Path | None, data: Path) -> Iterator[tuple[str, list[Figure]]]:
    """Yield speeds over the sentences of UNER EWT, or the repository's excerpt; with `against`, ratios too.

    Tokens are counted by this checkout, so that a ratio is one of times. The other checkout serves the bundle that it
    has at the same place. The least time counts, for other programs only add to it.
    """
    texts = read_texts(None, data)[0]
    num_tokens = sum(len(tokenize(text)) for text in texts)
    checkouts = [ROOT] if against is None else [ROOT, against.absolute()]
    cuts = _in_turns([partial(_cut_s, checkout, texts) for checkout in checkouts], _ROUNDS_OF_TEXT)
    yield (
        "Speed",
        [
            *_figures("tokenising and sentences, a core-second", num_tokens, cuts),
            *_figures("whole tag requests, a second", num_tokens, _requests(bundle, checkouts, texts)),
        ],
    )


def _figures(measure: str, num_tokens: int, rounds: Sequence[Sequence[float]]) -> Iterator[Figure]:
    own, *others = (min(times) for times in zip(*rounds, strict=True))
    yield Figure(measure=f"tokens of {measure}", values=(num_tokens / own,), unit="/s")
    for other in others:
        ratio = other / own
        yield Figure(measure="the same against the other checkout", values=(ratio,), target=_TARGET, aim=_AIM, unit="×")


def _in_turns(takes: Sequence[Callable[[], float]], num_rounds: int) -> list[list[float]]:
    """Take every time once a round, every second round in reverse order. A first round does not count."""
    rounds = []
    for number in range(num_rounds + 1):
        order = range(len(takes))[:: 1 if number % 2 else -1]
        found = {place: takes[place]() for place in order}
        rounds.append([found[place] for place in range(len(takes))])
    return rounds[1:]


def _cut_s(checkout: Path, texts: Sequence[str]) -> float:
    """Core-seconds of a new process, which remembers no word yet."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _CUT],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=False,
        cwd=checkout,
        env=environment,
    )
    if done.returncode:
        raise SeqserveError(f"{checkout} does not tokenise: {done.stderr[-500:].strip()}")
    return float(done.stdout)


def _requests(bundle: Path, checkouts: Sequence[Path], texts: Sequence[str]) -> list[list[float]]:
    with ExitStack() as running:
        takes = []
        for checkout in checkouts:
            folder = bundle.absolute() if checkout == ROOT else checkout / bundle
            service = running.enter_context(running_service(folder, checkout=checkout))
            takes.append(partial(_request_s, service, texts))
        return _in_turns(takes, _ROUNDS_OF_REQUESTS)


def _request_s(service: RunningService, texts: Sequence[str]) -> float:
    started = time.perf_counter()
    tag_over_http(service, "text", texts, borders=("start", "end"))
    return time.perf_counter() - started
