"""The directory of a server's metric files: made at the start, kept small, removed at the end."""

import os
import shutil
import tempfile
from pathlib import Path

from service.scratch import scratch_directory

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "seqserve-metrics-"
_KINDS = ("counter", "histogram")
_ENDED = "ended"
"""Takes the place of a process id in the file that holds the sums of workers that have ended."""


def make_directory() -> Path:
    """Make this server's directory of metric files and remove those of servers that are gone.

    To be called before `Telemetry` is made: the client library looks for the directory when it is first imported.
    """
    base = scratch_directory()
    for left in base.glob(f"{_PREFIX}*"):
        owner = left.name.removeprefix(_PREFIX).split("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(left, ignore_errors=True)
    directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))
    os.environ[DIRECTORY_VARIABLE] = str(directory)
    return directory


def retire(process_id: int) -> None:
    """Forget what a worker that has ended was holding, and add what it counted to the sums of those before it.

    Without that a file for each worker that ever lived would stay, and be read for every scrape.
    """
    from prometheus_client.multiprocess import mark_process_dead

    directory = Path(os.environ[DIRECTORY_VARIABLE])
    mark_process_dead(process_id, str(directory))  # type: ignore[no-untyped-call]
    for kind in _KINDS:
        left, sums = directory / f"{kind}_{process_id}.db", directory / f"{kind}_{_ENDED}.db"
        if left.exists():
            _add(left, sums)


def _add(left: Path, sums: Path) -> None:
    from prometheus_client.mmap_dict import MmapedDict

    made = sums.with_suffix(".new")
    if sums.exists():
        shutil.copy(sums, made)
    total = MmapedDict(str(made))  # type: ignore[no-untyped-call]
    before = {key: value for key, value, _ in total.read_all_values()}  # type: ignore[no-untyped-call]
    for key, value, timestamp, _ in MmapedDict.read_all_values_from_file(str(left)):  # type: ignore[no-untyped-call]
        total.write_value(key, before.get(key, 0.0) + value, timestamp)  # type: ignore[no-untyped-call]
    total.close()  # type: ignore[no-untyped-call]
    made.replace(sums)  # right before the next line: a scrape between them would count the worker twice
    left.unlink()
