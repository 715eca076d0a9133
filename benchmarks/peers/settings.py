"""What a peer's program is told, in environment variables: several of them read their own command line."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "SEQSERVE_PEER_"
PROCESSES = 2
"""That run the graph, each with one thread: as many as the service has on the same two cores."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Folder of the bundle, port of 127.0.0.1, most texts in a batch, and how long the first of them may wait."""

    bundle: str
    port: int
    max_batch: int
    wait_ms: int

    def variables(self) -> dict[str, str]:
        """The settings as environment variables."""
        values = {"BUNDLE": self.bundle, "PORT": self.port, "MAX_BATCH": self.max_batch, "WAIT_MS": self.wait_ms}
        return {PREFIX + name: str(value) for name, value in values.items()}


def given(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process; raises KeyError when it was not started by `running`."""
    bundle, *numbers = (environment[PREFIX + name] for name in ("BUNDLE", "PORT", "MAX_BATCH", "WAIT_MS"))
    return Settings(bundle, *map(int, numbers))
