"""Find a folder for small files that change all the time: in memory where the system has one."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from seqserve.errors import SeqserveError

SHARED_MEMORY = Path("/dev/shm")
_TRIAL_BYTES = 64 * 1024
"""More than fits into a folder that is full or has a page or two."""


class ScratchError(SeqserveError):
    """No folder takes temporary files; the message names the folders that were tried."""


def scratch_directory() -> Path:
    """Return a folder in which a file could be made and written just now.

    Memory comes first: a disk can block a heartbeat for longer than its reader waits. Raises ScratchError.
    """
    for folder in _candidates():
        try:
            with tempfile.TemporaryFile(prefix="seqserve-", dir=folder, buffering=0) as file:
                if file.write(bytes(_TRIAL_BYTES)) == _TRIAL_BYTES:
                    return folder
        except OSError:
            continue
    raise ScratchError(
        f"No folder for temporary files can be written, neither {SHARED_MEMORY} nor TMPDIR nor the system's own; "
        "set TMPDIR to a folder that can."
    )


def _candidates() -> Iterator[Path]:
    yield SHARED_MEMORY
    try:
        yield Path(tempfile.gettempdir())
    except FileNotFoundError:
        return
