"""The tagger behind Ray Serve: a proxy takes requests, two replicas batch them with @serve.batch and run the graph.

With 32 clients, batches of 16, 1 ms and other work on the machine: 119 and 136 requests a core-second; with
RAY_SERVE_THROUGHPUT_OPTIMIZED=1, Ray's own set of settings for throughput, 122 and 104, so it is left off.
"""

import os
import signal
from typing import Any

import msgspec
import ray
from ray import serve
from starlette.requests import Request
from starlette.responses import Response

from benchmarks.peers.settings import PROCESSES, Settings, given
from benchmarks.peers.tagging import Entities, tagging_of


@serve.deployment(num_replicas=PROCESSES, max_ongoing_requests=64, ray_actor_options={"num_cpus": 0})
class Tagger:
    """One replica with its own session of the graph."""

    def __init__(self, settings: Settings) -> None:
        self._tagging = tagging_of(settings.bundle)
        self._entities.set_max_batch_size(settings.max_batch)
        self._entities.set_batch_wait_timeout_s(settings.wait_ms / 1000)

    @serve.batch
    async def _entities(self, texts: list[str]) -> list[Entities]:
        return self._tagging.entities(texts)

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        asked: dict[str, Any] = msgspec.json.decode(await request.body())
        answer = {"entities": await self._entities(asked["text"])}
        return Response(msgspec.json.encode(answer), media_type="application/json")


def main() -> None:
    """Serve until a signal."""
    settings = given()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=PROCESSES, include_dashboard=False, _temp_dir=f"{os.getcwd()}/ray", object_store_memory=10**8)
    serve.start(http_options={"host": "127.0.0.1", "port": settings.port})
    serve.run(Tagger.bind(settings), route_prefix="/tag")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    ray.shutdown()


if __name__ == "__main__":
    main()
