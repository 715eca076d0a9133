"""Other servers with the same graph and the same sentences, one at a time, 32 clients."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.load.bench import Bench
from benchmarks.load.many_clients import CLIENTS, RATE, SERVICE, closed_loop
from benchmarks.load.plan import Load, Request, post
from benchmarks.load.rounds import PEER
from benchmarks.load.rows import Numbers, Rounds, Row, Take, Theme, shares, values
from benchmarks.load.texts import num_tokens
from benchmarks.running_service import ServiceError

_REAL = "service, real sentences, beside peers"
_CHECKED = 8
_WARM_UP_S = 1.5  # started for this measurement only
_FIELDS = ("text", "label", "start", "end")


def peer_name(name: str) -> str:
    """The name of a peer's measurement."""
    return f"{PEER}{name}, {CLIENTS} clients"


@contextmanager
def takes(bench: Bench) -> Iterator[Mapping[str, Take]]:
    """Yield a measurement for each peer whose environment is there; the others are named on standard error.

    A peer runs only while it is measured: some are busy when nobody asks.
    """
    from benchmarks.peers import PEERS, running  # late: a choice without peers needs none of it
    from benchmarks.peers.requirements import ENVIRONMENTS, EnvironmentMissingError, python_of
    from benchmarks.peers.running_peer import ask

    environments = bench.options.environments or ENVIRONMENTS
    found: dict[str, Take] = {SERVICE: closed_loop(bench, ""), _REAL: real_sentences(bench)}
    ours = {text: _ours(bench, text) for text in bench.options.short[:_CHECKED]}

    def take(peer: Any) -> Take:
        def load(port: int, texts: Sequence[str]) -> Load:
            requests = [Request(post(peer.path, peer.body(text), peer.headers), num_tokens(text)) for text in texts]
            return Load(port, requests, clients=CLIENTS, seconds=bench.options.seconds, warm_up_s=_WARM_UP_S)

        def measure() -> Numbers:
            with running(peer, bench.options.tagger, environments) as port:
                for text, entities in ours.items():
                    answer = [tuple(each.get(field) for field in _FIELDS) for each in ask(peer, port, text)]
                    if answer != entities:
                        raise ServiceError(f"{peer.name} finds {answer} where the service finds {entities}")
                real = bench.drive(load(port, bench.options.mixed))
                return {**bench.drive(load(port, bench.options.short)), _REAL: real["units_per_s"]}

        return measure

    for name, peer in PEERS.items():
        try:
            python_of(name, Path(environments))
        except EnvironmentMissingError as error:
            print(f"skipped: {error}", file=sys.stderr, flush=True)
        else:
            found[peer_name(name)] = take(peer)
    yield found


def real_sentences(bench: Bench) -> Take:
    """Measure the service on real sentences of every length, one a request."""
    bodies = [({"text": text}, num_tokens(text)) for text in bench.options.mixed]
    requests = bench.answered(bench.tagger(), "/v1/tag", bodies)
    load = Load(bench.tagger(), requests, clients=CLIENTS, seconds=bench.options.seconds)
    return lambda: bench.drive(load)


def _ours(bench: Bench, text: str) -> list[tuple[object, ...]]:
    service = bench.running(bench.tagger_server())
    entities = service.post("/v1/tag", {"text": text})["results"][0]["entities"]
    return [tuple(each[field] for field in _FIELDS) for each in entities]


def rows(rounds: Rounds) -> list[Row]:
    """Every peer's rate, and the service's over the best of each round."""
    names = sorted({name for each in rounds for name in each if name.startswith(PEER)})
    if not names:
        return []

    def over_best(each: Mapping[str, Numbers]) -> float:
        return each[SERVICE][RATE] / max(each[name][RATE] for name in names if name in each)

    def over_best_of_real(each: Mapping[str, Numbers]) -> float:
        return each[_REAL]["units_per_s"] / max(each[name][_REAL] for name in names if name in each)

    return [
        Row(
            measure=f"against the best of {len(names)} peers: requests/s",
            values=shares(rounds, over_best),
            target=1.5,
            aim=3.0,
            unit="×",
        ),
        Row(
            measure=f"against the best of {len(names)} peers, real sentences of every length: tokens/s",
            values=shares(rounds, over_best_of_real),
            unit="×",
        ),
        Row(measure=f"{_REAL}: tokens/s", values=values(rounds, _REAL, "units_per_s"), unit="/s"),
        *(
            Row(measure=f"{name}, real sentences: tokens/s", values=values(rounds, name, _REAL), unit="/s")
            for name in names
        ),
        *(Row(measure=f"{name}: requests/s", values=values(rounds, name, RATE), unit="/s") for name in names),
        *(Row(measure=f"{name}: p99", values=values(rounds, name, "p99_ms"), unit="ms") for name in names),
    ]


THEME = Theme("peers", "other servers with the same graph at 32 clients", takes, rows)
