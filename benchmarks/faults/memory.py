"""A great many mixed requests: resident memory at the end against after the first of them.

Memory goes up and down with the batches that are being run, so both are medians of ten samples: the first ten after a
twentieth of the requests, and the last ten.
"""

import statistics
import time
from pathlib import Path

from benchmarks.faults.connection import Outcome
from benchmarks.faults.finding import Finding, Measure, none_of
from benchmarks.faults.memory_mix import Mixers, prepare
from benchmarks.faults.plan import Plan
from benchmarks.faults.started import Started, started
from benchmarks.footprint import memory_of

_SHARE = 20  # a twentieth of the requests: 50,000 of a million
_NUM_SAMPLES = 200
_LINE_EVERY = 10  # samples
_POLL_S = 0.2
_MOST, _AIM = 1.05, 1.01
_HARMLESS = (Outcome.RIGHT, Outcome.CLOSED_IDLE, "gone")


def find(plan: Plan) -> Finding:
    """Send `plan.requests` requests; prints a line each twentieth of them and draws memory.png."""
    samples: list[tuple[int, int]] = []
    with started(plan.models, plan.settings) as service:
        known_answers = prepare(service.port)
        workers = service.workers
        with Mixers(service.port, known_answers, plan.clients, plan.requests) as mixers:
            _watch(service, mixers, plan.requests, samples)
        samples.append((mixers.num_sent, memory_of(service.process.pid).pss_bytes))
        same_workers = service.workers == workers
    share = plan.requests // _SHARE
    first, last = first_and_last(samples, share)
    ratio = last / first
    failed = mixers.num_sent - sum(mixers.counts[name] for name in _HARMLESS)
    path = draw(samples, plan.to)
    return Finding(
        "memory",
        (
            Measure(
                f"memory after {mixers.num_sent:,} mixed requests, of after {share:,}",
                f"≤ {_MOST:.2f}",
                f"{ratio:.3f} ({last / 2**20:.0f} MiB of {first / 2**20:.0f} MiB)",
                ratio <= _MOST,
                f"{_AIM:.2f}",
            ),
            none_of("wrong answers", mixers.counts[Outcome.WRONG], mixers.num_sent),
            none_of("requests without the answer given alone", failed, mixers.num_sent),
            Measure("the same workers at the end", "yes", "yes" if same_workers else "no", same_workers),
        ),
        {
            "counts": {str(name): number for name, number in mixers.counts.items()},
            "not_right": dict(mixers.details.most_common(40)),
            "requests_and_pss_bytes": samples,
            "picture": path.name,
        },
    )


def _watch(service: Started, mixers: Mixers, num_requests: int, samples: list[tuple[int, int]]) -> None:
    """Take memory at every 200th of the requests, until all are sent."""
    started_at = time.monotonic()
    next_at = 0
    while not mixers.is_done:
        time.sleep(_POLL_S)
        service.check_alive()
        number = mixers.num_sent
        if number < next_at:
            continue
        memory = memory_of(service.process.pid).pss_bytes
        if len(samples) % _LINE_EVERY == 0:
            rate = number / (time.monotonic() - started_at)
            print(f"{number:,} of {num_requests:,} requests, {memory / 2**20:.1f} MiB, {rate:.0f}/s", flush=True)
        samples.append((number, memory))
        next_at = len(samples) * num_requests // _NUM_SAMPLES


def first_and_last(samples: list[tuple[int, int]], num_requests: int) -> tuple[float, float]:
    """The medians of memory over the first samples from `num_requests` on, and over as many at the end."""
    number = _NUM_SAMPLES // _SHARE
    memory = [memory for sent, memory in samples if sent >= num_requests]
    return statistics.median(memory[:number]), statistics.median(memory[-number:])


def draw(samples: list[tuple[int, int]], folder: Path) -> Path:
    """Draw memory over requests into memory.png."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4))
    axes.plot([number for number, _ in samples], [memory / 2**20 for _, memory in samples])
    axes.set_xlabel("requests")
    axes.set_ylabel("PSS of all processes, MiB")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    figure.tight_layout()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "memory.png"
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return path
