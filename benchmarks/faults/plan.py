"""What a fault run is told."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plan:
    """`models`: folder of bundles, one of each task, that may be changed; `to`: folder of results.

    seconds: how long faults that last go on; rounds: how often those that are one moment are repeated; requests: of
    the memory run; settings: further flags of every service that is started.
    """

    models: Path
    to: Path
    seconds: float = 60.0
    rounds: int = 20
    requests: int = 1_000_000
    clients: int = 16
    settings: tuple[str, ...] = ()
