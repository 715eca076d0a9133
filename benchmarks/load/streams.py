"""Sampling within one worker: many streams against one at a time, and samples that join a running batch or wait."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.load.bench import Bench, Server
from benchmarks.load.plan import Load
from benchmarks.load.rows import Rounds, Row, Take, Theme, ratio, values
from benchmarks.sampling import Clients, mixed_lengths
from seqserve.language.model import LanguageModelBundle
from seqserve.loading import load_bundle

STREAMS = 32
TOKENS = 100
LONGEST = 200
SLOTS = 16
_ALONE = 3
_ONE_WORKER = ("--workers", "1", "--threads", "64")
_KINDS = {"char": (3.5, 4.5), "word": (4.5, 6.0)}
_VARIANTS = {"": "joining a running batch", "static": "static batches", "leaving": "static batches that are left"}


def _together(kind: str) -> str:
    return f"{kind} model, {STREAMS} streams, one worker"


def _alone(kind: str) -> str:
    return f"{kind} model, one at a time, one worker"


def _mixed(variant: str) -> str:
    return f"char model, samples of {LONGEST // 10} to {LONGEST} tokens, {SLOTS} slots, {_VARIANTS[variant]}"


@contextmanager
def stream_takes(bench: Bench) -> Iterator[Mapping[str, Take]]:
    """Start a worker for each model and yield the measurements."""
    found: dict[str, Take] = {}
    for kind, folder in (("char", bench.options.char_model), ("word", bench.options.word_model)):
        clients = Clients(bench.running(Server(folder, settings=_ONE_WORKER)), load_bundle(folder, LanguageModelBundle))
        clients.together([8] * STREAMS)
        found[_together(kind)] = lambda clients=clients: {  # type: ignore[misc]
            "units_per_s": clients.together([TOKENS] * STREAMS)
        }
        found[_alone(kind)] = lambda clients=clients: {  # type: ignore[misc]
            "units_per_s": clients.one_by_one([TOKENS] * _ALONE)
        }
    yield found


def stream_rows(rounds: Rounds) -> list[Row]:
    """Tokens/s of many streams against one at a time."""
    found = []
    for kind, (target, aim) in _KINDS.items():
        together, alone = _together(kind), _alone(kind)
        found.append(
            Row(
                measure=f"one worker, {kind} model: {STREAMS} sampling streams against one at a time",
                values=ratio(rounds, (together, "units_per_s"), (alone, "units_per_s")),
                target=target,
                aim=aim,
                unit="×",
            )
        )
        found += [
            Row(measure=f"{name}: tokens/s", values=values(rounds, name, "units_per_s"), unit="/s")
            for name in (together, alone)
        ]
    return found


@contextmanager
def iteration_takes(bench: Bench) -> Iterator[Mapping[str, Take]]:
    """Start a worker that lets samples join and those that do not, and yield the measurements."""
    folder = bench.options.char_model
    servers = {variant: Server(folder, variant, (*_ONE_WORKER, "--max-samples", str(SLOTS))) for variant in _VARIANTS}
    ports = {variant: bench.running(server).port for variant, server in servers.items()}
    asked = _ignoring_eos(folder)
    bodies = [
        ({"max_tokens": length, "seed": seed, **asked}, length)
        for seed, length in enumerate(mixed_lengths(STREAMS, LONGEST), start=1)
    ]
    requests = bench.answered(ports[""], "/v1/sample", bodies)
    loads = {
        variant: Load(port, requests, clients=STREAMS, seconds=bench.options.seconds) for variant, port in ports.items()
    }
    yield {_mixed(variant): lambda load=load: bench.drive(load) for variant, load in loads.items()}  # type: ignore[misc]


def iteration_rows(rounds: Rounds) -> list[Row]:
    """Tokens/s against those of static batches."""
    joining, static, leaving = (_mixed(variant) for variant in _VARIANTS)
    return [
        Row(
            measure="mixed sample lengths: iteration-level against static batches",
            values=ratio(rounds, (joining, "units_per_s"), (static, "units_per_s")),
            target=1.3,
            aim=1.6,
            unit="×",
        ),
        Row(
            measure="mixed sample lengths: against static batches that samples leave when they end",
            values=ratio(rounds, (joining, "units_per_s"), (leaving, "units_per_s")),
            unit="×",
        ),
        *(
            Row(measure=f"{name}: tokens/s", values=values(rounds, name, "units_per_s"), unit="/s")
            for name in (joining, static, leaving)
        ),
    ]


def _ignoring_eos(folder: Path) -> dict[str, bool]:
    # A model of running text has no <EOS> to draw, and needs no asking.
    return {"ignore_eos": True} if load_bundle(folder, LanguageModelBundle).manifest.ends_sentences else {}


STREAMING = Theme("streams", "32 sampling streams in one worker against one at a time", stream_takes, stream_rows)
ITERATION = Theme("iteration", "samples of mixed lengths against static batches", iteration_takes, iteration_rows)
