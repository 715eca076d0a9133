"""The tagger behind mosec: its Rust front end batches, two worker processes run the graph.

Tried with 32 clients and other work on the machine, requests a core-second, medians of two: batches of 8, waiting 0, 1,
2, 5 ms: 686, 662, 665, 701; of 16: 664, 699, 731, 710. What came a second lay between 166 and 817 and told nothing.
"""

import sys

import msgspec
from mosec import Server, Worker

from benchmarks.peers.settings import PROCESSES, given
from benchmarks.peers.tagging import Entities, tagging_of


class Request(msgspec.Struct):
    """What is asked."""

    text: str


class Tagger(Worker):
    """One process with its own session of the graph."""

    def __init__(self) -> None:
        super().__init__()
        self._tagging = tagging_of(given().bundle)
        self._decoder = msgspec.json.Decoder(Request)

    def deserialize(self, data: bytes) -> Request:
        """Read the request."""
        return self._decoder.decode(data)

    def forward(self, data: list[Request]) -> list[Entities]:
        """Tag what has been batched."""
        return self._tagging.entities([request.text for request in data])

    def serialize(self, data: Entities) -> bytes:
        """Write the answer."""
        return msgspec.json.encode({"entities": data})


def main() -> None:
    """Serve until a signal."""
    settings = given()
    # append_worker takes a waiting time of 0 for "as the command line says".
    sys.argv[1:] = ["--address", "127.0.0.1", "--port", str(settings.port), "--wait", str(settings.wait_ms)]
    server = Server()
    server.append_worker(
        Tagger, num=PROCESSES, max_batch_size=settings.max_batch, max_wait_time=settings.wait_ms, route="/tag"
    )
    server.run()


if __name__ == "__main__":
    main()
