"""A server whose first worker is told to stop as soon as it is forked, before it can listen to signals."""

import os
import signal
import sys

from seqserve.service.__main__ import main
from seqserve.service.server.worker import Worker

begin = Worker.init_process


def stop_and_begin(worker: Worker) -> None:
    """Stand in for `Worker.init_process`."""
    if worker.age == 1:
        os.kill(os.getpid(), signal.SIGTERM)
    begin(worker)


if __name__ == "__main__":
    Worker.init_process = stop_and_begin  # type: ignore[method-assign]
    sys.exit(main())
