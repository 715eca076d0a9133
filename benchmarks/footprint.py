"""What the service costs to have: seconds from start to ready, resident memory, installed size. Linux only.

python -m benchmarks.footprint models [--starts 5] [--install]
"""

import argparse
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import run
from benchmarks.running_service import RunningService, running_service

ROOT = Path(__file__).parents[1]
MIB = 1 << 20
_WARM_UP_REQUESTS = 200
_SETTLE_S = 1.0
_SENTENCE = "Ada Lovelace of London wrote to Charles Babbage about the engine he wanted to build in Turin ."
_INSTALLED = ("bundle", "service", "training", "pyproject.toml", "README.md", "LICENSE", "NOTICE")
_INSTALLER = re.compile(r"pip|pip-.*|setuptools|setuptools-.*|_distutils_hack|distutils-precedence\.pth|pkg_resources")


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes of all processes: pss shares what several map among them, rss counts it for each."""

    num_processes: int
    pss_bytes: int
    rss_bytes: int


def cold_starts(models: Path, *, num_starts: int) -> list[float]:
    """Seconds from spawn to the first 200 of /readyz, the files in the page cache from the second start on."""
    seconds = []
    for _ in range(num_starts):
        with running_service(models) as service:
            seconds.append(service.seconds_to_ready)
    return seconds


def idle_memory(models: Path) -> tuple[Memory, Memory]:
    """Memory as soon as the service is ready, and idle after requests of 1 to 64 sentences of 1 to 90 tokens."""
    with running_service(models) as service:
        before = memory_of(service.process_id)
        warm_up(service)
        time.sleep(_SETTLE_S)
        return before, memory_of(service.process_id)


def warm_up(service: RunningService) -> None:
    """Send texts of many lengths, so that every process has answered and its buffers have grown."""
    words = _SENTENCE.split()
    for number in range(_WARM_UP_REQUESTS):
        length = 1 + 7 * number % 90
        text = " ".join((words * 6)[:length])
        service.post("/v1/tag", {"text": [text] * (1 + 11 * number % 64)})


def memory_of(process_id: int) -> Memory:
    """Memory of a process and all its descendants."""
    processes = list(_family(process_id))
    totals = {"Pss": 0, "Rss": 0}
    for each in processes:
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in totals:
                totals[name] += int(value.split()[0]) * 1024
    return Memory(len(processes), totals["Pss"], totals["Rss"])


def _family(process_id: int) -> Iterator[int]:
    yield process_id
    for listing in Path(f"/proc/{process_id}/task").glob("*/children"):
        for child in listing.read_text().split():
            yield from _family(int(child))


def installed_bytes() -> dict[str, int]:
    """Disk use of each entry of site-packages after `pip install .` in a fresh environment, without the installer."""
    with tempfile.TemporaryDirectory() as folder:
        project, environment = Path(folder, "project"), Path(folder, "environment")
        project.mkdir()
        for name in _INSTALLED:  # a copy, because a build writes into its tree
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, project / name)
        venv.create(environment, with_pip=True)
        python = environment / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", str(project)], check=True, cwd=folder)
        (packages,) = environment.glob("lib/python*/site-packages")
        return {entry.name: _disk_bytes(entry) for entry in packages.iterdir() if not _INSTALLER.fullmatch(entry.name)}


def _disk_bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_blocks * 512 for file in files)


def main(words: Sequence[str] | None = None) -> int:
    """Print the measurements as a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.footprint", description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="?", type=Path, default=Path("models"), metavar="MODELS")
    parser.add_argument("--starts", type=int, default=5, metavar="N", help="cold starts to take the median of (5)")
    parser.add_argument("--install", action="store_true", help="also install into a fresh environment and weigh it")
    arguments = parser.parse_args(words)
    print("| measure | value |\n|---|---:|")
    seconds = cold_starts(arguments.models, num_starts=arguments.starts)
    print(
        f"| start to ready, median of {len(seconds)} ({min(seconds):.2f} to {max(seconds):.2f}) "
        f"| {statistics.median(seconds):.2f} s |",
        flush=True,
    )
    ready, idle = idle_memory(arguments.models)
    for name, memory in (("when ready", ready), ("idle after warm-up", idle)):
        print(f"| memory {name}, {memory.num_processes} processes, PSS | {memory.pss_bytes / MIB:.0f} MiB |")
        print(f"| the same, RSS (shared pages counted for each) | {memory.rss_bytes / MIB:.0f} MiB |", flush=True)
    if arguments.install:
        sizes = installed_bytes()
        largest = sorted(sizes, key=sizes.__getitem__, reverse=True)[:4]
        names = ", ".join(f"{name} {sizes[name] / 1e6:.0f}" for name in largest)
        total = sum(sizes.values()) / 1e6
        print(f"| installed size of the base install, without models (largest: {names}) | {total:.0f} MB |")
    return 0


if __name__ == "__main__":
    run(main)
