"""The tagger behind MLServer: a process that takes requests and batches, two inference workers that run the graph.

With 32 clients, batches of 16, 1 ms and other work on the machine: 495 and 502 requests a core-second.
"""

import json
import os
import socket
import sys
from pathlib import Path

from benchmarks.peers.settings import PROCESSES, given


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def main() -> None:
    """Write MLServer's settings into the working folder and become it."""
    settings = given()
    server = {
        "host": "127.0.0.1",
        "http_port": settings.port,
        "grpc_port": _free_port(),
        "metrics_endpoint": None,
        "parallel_workers": PROCESSES,
        "debug": False,
        "gzip_enabled": False,
    }
    model = {
        "name": "tagger",
        "implementation": "benchmarks.peers.mlserver_runtime.Tagger",
        "max_batch_size": settings.max_batch,
        "max_batch_time": settings.wait_ms / 1000,
    }
    Path("settings.json").write_text(json.dumps(server), encoding="utf-8")
    Path("model-settings.json").write_text(json.dumps(model), encoding="utf-8")
    os.execv(Path(sys.executable).parent / "mlserver", ["mlserver", "start", "."])


if __name__ == "__main__":
    main()
