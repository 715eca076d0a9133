"""The tagger behind BentoML: two worker processes, each takes requests, batches adaptively and runs the graph.

Its batcher has no waiting time to set: it learns one, and max_latency_ms says when requests are refused. At 32 clients
and batches of 16, with other work on the machine: 30 and 100 ms answered 503; 1000 ms gave 338 and 357 requests a
core-second, 60,000 ms 359 and 360. Metrics and the access log are off.
"""

import os
import sys

import bentoml

from benchmarks.peers.settings import PROCESSES, given
from benchmarks.peers.tagging import Entities, tagging_of

_SETTINGS = given()


@bentoml.service(
    workers=PROCESSES,
    threads=1,
    traffic={"timeout": 60},
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class Tagger:
    """One worker process with its own session of the graph."""

    def __init__(self) -> None:
        self._tagging = tagging_of(_SETTINGS.bundle)

    @bentoml.api(batchable=True, max_batch_size=_SETTINGS.max_batch, max_latency_ms=1000, route="/tag")
    def tag(self, texts: list[str]) -> list[Entities]:
        """Tag what has been batched."""
        return self._tagging.entities(texts)


if __name__ == "__main__":
    command = ["bentoml", "serve", "benchmarks.peers.serve_bentoml:Tagger", "--host", "127.0.0.1"]
    os.environ |= {"BENTOML_DO_NOT_TRACK": "true", "BENTOML_HOME": os.getcwd()}
    os.execv(sys.executable, [sys.executable, "-m", *command, "--port", str(_SETTINGS.port)])
