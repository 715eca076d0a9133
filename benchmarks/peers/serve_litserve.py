"""The tagger behind LitServe: two uvicorn processes take requests, two worker processes batch and run the graph.

Tried with 32 clients and other work on the machine, requests a core-second, medians of two: batches of 8, waiting 0, 1,
2, 5 ms: 341, 364, 386, 356; of 16: 273, 340, 331, 397. Batches of 8, 5 ms, gave the most a second, 495 of them, and
with a second uvicorn process 426 and 678 (399 and 394 a core-second; of 16: 290 and 466). Without fast_queue there
were fewer: 220 and 378 a second at 8 and 5 ms, where it gave 508 and 534.
"""

from typing import Any

import litserve

from benchmarks.peers.settings import PROCESSES, given
from benchmarks.peers.tagging import Entities, tagging_of


class Tagger(litserve.LitAPI):
    """One worker process with its own session of the graph."""

    def setup(self, device: str) -> None:
        """Open the bundle."""
        self._tagging = tagging_of(given().bundle)

    def decode_request(self, request: dict[str, Any]) -> str:
        """Read the request."""
        text: str = request["text"]
        return text

    def batch(self, inputs: list[str]) -> list[str]:
        """Leave a batch what it is; the default makes an array of it."""
        return inputs

    def predict(self, texts: list[str]) -> list[Entities]:
        """Tag a batch."""
        return self._tagging.entities(texts)

    def unbatch(self, output: list[Entities]) -> list[Entities]:
        """Leave the answers in a list."""
        return output

    def encode_response(self, output: Entities) -> dict[str, Entities]:
        """Make the answer."""
        return {"entities": output}


def main() -> None:
    """Serve until a signal."""
    settings = given()
    api = Tagger(max_batch_size=settings.max_batch, batch_timeout=settings.wait_ms / 1000, api_path="/tag")
    server = litserve.LitServer(api, accelerator="cpu", devices=1, workers_per_device=PROCESSES, fast_queue=True)
    server.run(
        host="127.0.0.1", port=settings.port, num_api_servers=PROCESSES, log_level="warning", generate_client_file=False
    )


if __name__ == "__main__":
    main()
