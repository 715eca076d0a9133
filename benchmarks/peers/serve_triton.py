"""The tagger behind Triton Inference Server, as two of pytriton's Python callables: threads of one process beside it.

With 32 clients, batches of 16, 1 ms and other work on the machine: 502 and 504 requests a core-second.
"""

import json
import os
import signal
import socket
import sys
import sysconfig

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

from benchmarks.peers.settings import PROCESSES, given
from benchmarks.peers.tagging import tagging_of


class Tagger:
    """One instance with its own session of the graph."""

    def __init__(self, bundle: str) -> None:
        self._tagging = tagging_of(bundle)

    @batch
    def __call__(self, text: np.ndarray) -> dict[str, np.ndarray]:
        """Texts (B,1) in UTF-8 -> answers (B,1), JSON."""
        found = self._tagging.entities([each.decode() for each in text[:, 0]])
        answers = [json.dumps(each).encode() for each in found]
        return {"entities": np.array(answers, dtype=object)[:, None]}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def main() -> None:
    """Serve until a signal."""
    settings = given()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # the server ends well, and leaves nothing in /dev/shm
    # Triton's Python stub takes the first libpython3.11 that the loader finds, which must be this interpreter's own.
    os.environ["LD_LIBRARY_PATH"] = sysconfig.get_config_var("LIBDIR")
    config = TritonConfig(
        http_address="127.0.0.1",
        http_port=settings.port,
        grpc_port=_free_port(),
        allow_metrics=False,
        log_verbose=0,
    )
    batcher = DynamicBatcher(max_queue_delay_microseconds=1000 * settings.wait_ms)
    with Triton(config=config) as triton:
        triton.bind(
            model_name="tagger",
            infer_func=[Tagger(settings.bundle) for _ in range(PROCESSES)],
            inputs=[Tensor(name="text", dtype=bytes, shape=(1,))],
            outputs=[Tensor(name="entities", dtype=bytes, shape=(1,))],
            config=ModelConfig(max_batch_size=settings.max_batch, batcher=batcher),
        )
        triton.run()
        signal.pause()


if __name__ == "__main__":
    main()
