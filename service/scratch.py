"""Where small files that change all the time are kept: in memory when the system has a place for it."""

import os
import tempfile
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")


def scratch_directory() -> Path:
    """Return a writable directory, preferring memory: a disk can block a heartbeat for longer than its reader waits."""
    return SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
