"""How fast a running service samples: many streams against one, one stream against the bare step graph.

    python -m benchmarks.sampling models/lm-en/1 [--streams 32] [--tokens 100] [--rounds 5]

Everything is measured in one run, in rounds that take each measurement once, and reported as the median over rounds.
Two services run: one with two workers, one with a single one. The clients are threads of this process.
"""

import argparse
import dataclasses
import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import run
from benchmarks.running_service import RunningService, running_service
from seqserve.language.model import LanguageModelBundle, StepBatch
from seqserve.loading import load_bundle
from seqserve.vocabulary.tokens import EOS_ID, START_ID, UNKNOWN_ID

_SHORTEST = 0.1  # of the longest, in a mixture of lengths


class Clients:
    """Draws samples over HTTP, each request with its own seed and `num_tokens` tokens whatever is drawn."""

    def __init__(self, service: RunningService, bundle: LanguageModelBundle) -> None:
        self._service = service
        # A model of running text has no <EOS> to draw, and needs no asking.
        self._body = {"ignore_eos": True} if bundle.manifest.ends_sentences else {}
        self._seeds = itertools.count(1)  # next() of it is safe among threads

    def one_by_one(self, lengths: Sequence[int]) -> float:
        """Tokens/s of samples of these lengths, one after another."""
        started = time.perf_counter()
        num_tokens = sum(self._sample(length) for length in lengths)
        return num_tokens / (time.perf_counter() - started)

    def together(self, lengths: Sequence[int]) -> float:
        """Tokens/s of samples of these lengths that all begin at once, each from its own client."""
        with ThreadPoolExecutor(len(lengths)) as clients:
            started = time.perf_counter()
            num_tokens = sum(clients.map(self._sample, lengths))
            return num_tokens / (time.perf_counter() - started)

    def _sample(self, num_tokens: int) -> int:
        body: dict[str, Any] = {"max_tokens": num_tokens, "seed": next(self._seeds), **self._body}
        return int(self._service.post("/v1/sample", body)["samples"][0]["num_tokens"])


def bare_tokens_per_s(bundle: LanguageModelBundle, num_tokens: int, *, rows: int = 1) -> float:
    """Tokens/s of the step graph alone: the state goes in and out, and nothing else is done between runs."""
    batch = StepBatch(
        previous_ids=np.full(rows, START_ID, np.int32),
        state=np.zeros((rows, bundle.state_size), np.float32),
        uniforms=np.zeros(rows, np.float32),
        temperatures=np.ones(rows, np.float32),
        top_ks=np.zeros(rows, np.int32),
        top_ps=np.ones(rows, np.float32),
        min_ps=np.zeros(rows, np.float32),
        repetition_penalties=np.ones(rows, np.float32),
        banned_ids=np.tile(np.array([EOS_ID, UNKNOWN_ID], np.int32), (rows, 1)),
        repeated_ids=np.full((rows, 1), -1, np.int32),
    )
    uniforms = np.random.default_rng(0).random((num_tokens, rows), np.float32)
    feeds = batch.feeds()
    started = time.perf_counter()
    for uniform in uniforms:
        outputs = bundle.step_graph.run({**feeds, "uniforms": uniform})
        feeds["previous_ids"], feeds["state"] = outputs["next_ids"], outputs["next_state"]
    return num_tokens * rows / (time.perf_counter() - started)


def mixed_lengths(num_streams: int, longest: int) -> list[int]:
    """Lengths from a tenth of the longest to the longest, evenly, short and long ones alternating."""
    lengths = [round(each) for each in np.linspace(max(1, longest * _SHORTEST), longest, num_streams)]
    return [length for pair in zip(lengths, reversed(lengths), strict=True) for length in pair][:num_streams]


@dataclasses.dataclass(frozen=True, slots=True)
class Speeds:
    """Median tokens/s of each measurement, by its name."""

    medians: dict[str, float]

    def report(self, num_streams: int) -> str:
        """Markdown: what was measured, and the ratios that matter."""
        many, alone = f"{num_streams} streams, two workers", "one at a time, two workers"
        many_one, alone_one = f"{num_streams} streams, one worker", "one at a time, one worker"
        bare, bare_many = "bare step graph, one row", f"bare step graph, {num_streams} rows"
        lines = ["| measured | tokens/s |", "|---|---:|"]
        lines += [f"| {name} | {speed:.0f} |" for name, speed in self.medians.items()]
        found = self.medians
        lines += [
            "",
            f"- {num_streams} streams against one at a time: {found[many] / found[alone]:.1f} times on two workers, "
            f"{found[many_one] / found[alone_one]:.1f} times on one",
            f"- time per token of one stream: {found[bare] / found[alone_one]:.2f} times the bare step graph's "
            f"({1000 / found[alone_one]:.2f} ms against {1000 / found[bare]:.2f} ms)",
            f"- {num_streams} streams on one worker: {found[many_one] / found[bare_many]:.0%} of the bare step graph",
        ]
        return "\n".join(lines)


def measure(bundle_folder: Path, *, num_streams: int, num_tokens: int, num_rounds: int) -> Speeds:
    """Start both services and take every measurement in turn, `num_rounds` times after one that does not count."""
    bundle = load_bundle(bundle_folder, LanguageModelBundle)
    with (
        running_service(bundle_folder, ["--workers", "2", "--threads", "64"]) as two,
        running_service(bundle_folder, ["--workers", "1", "--threads", "64"]) as one,
    ):
        both, single = Clients(two, bundle), Clients(one, bundle)
        same, mixed = [num_tokens] * num_streams, mixed_lengths(num_streams, 2 * num_tokens)
        few = [num_tokens] * 3
        takes: dict[str, Callable[[], float]] = {
            f"{num_streams} streams, two workers": lambda: both.together(same),
            "one at a time, two workers": lambda: both.one_by_one(few),
            f"{num_streams} streams of mixed lengths, two workers": lambda: both.together(mixed),
            f"{num_streams} streams, one worker": lambda: single.together(same),
            "one at a time, one worker": lambda: single.one_by_one(few),
            "bare step graph, one row": lambda: bare_tokens_per_s(bundle, 3 * num_tokens),
            f"bare step graph, {num_streams} rows": lambda: bare_tokens_per_s(bundle, num_tokens, rows=num_streams),
        }
        rounds = [{name: take() for name, take in takes.items()} for _ in range(num_rounds + 1)][1:]
    return Speeds({name: statistics.median(each[name] for each in rounds) for name in takes})


def main(words: Sequence[str] | None = None) -> int:
    """Print the table and the ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sampling", description=__doc__.split("\n")[0])
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder of a language model")
    parser.add_argument("--streams", type=int, default=32, metavar="N", help="samples at a time (32)")
    parser.add_argument("--tokens", type=int, default=100, metavar="N", help="tokens of a sample (100)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds that count (5)")
    arguments = parser.parse_args(words)
    speeds = measure(
        arguments.bundle,
        num_streams=arguments.streams,
        num_tokens=arguments.tokens,
        num_rounds=arguments.rounds,
    )
    print(speeds.report(arguments.streams))
    return 0


if __name__ == "__main__":
    run(main)
