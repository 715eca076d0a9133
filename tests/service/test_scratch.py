"""Where temporary files go when a place is missing, full, or may not be written."""

import re
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from seqserve.service import scratch
from seqserve.service.scratch import ScratchError, scratch_directory


def fall_back_to(folder: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make Python's temporary folder another; none when there is none."""

    def find() -> str:
        if folder is None:
            raise FileNotFoundError("No usable temporary directory found")
        return str(folder)

    monkeypatch.setattr(tempfile, "gettempdir", find)


def test_memory_is_taken_when_a_file_can_be_written_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "SHARED_MEMORY", tmp_path)
    assert scratch_directory() == tmp_path
    assert not list(tmp_path.iterdir())


def test_without_memory_the_temporary_folder_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "SHARED_MEMORY", tmp_path / "missing")
    fall_back_to(tmp_path, monkeypatch)
    assert scratch_directory() == tmp_path


def test_a_place_that_takes_a_file_but_no_bytes_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "SHARED_MEMORY", tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))  # as a /dev/shm of one page
    try:
        fall_back_to(None, monkeypatch)
        with pytest.raises(ScratchError, match="TMPDIR"):
            scratch_directory()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not list(tmp_path.iterdir())


WITHOUT_FOLDER = """
import sys, tempfile
from pathlib import Path
from seqserve.service import scratch
from seqserve.service.__main__ import main

def find():
    raise FileNotFoundError("No usable temporary directory found")

scratch.SHARED_MEMORY = Path("/nowhere")
tempfile.gettempdir = find
sys.exit(main(["--port", "0"]))
"""


def test_a_server_without_any_folder_says_so_in_one_sentence() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_FOLDER], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert re.fullmatch(r"seqserve: No folder for temporary files [^\n]*TMPDIR[^\n]*\.\n", done.stderr)
