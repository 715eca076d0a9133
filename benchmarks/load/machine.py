"""Where a measurement was taken: processor, cores, versions."""

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PACKAGES = ("flask", "gevent", "gunicorn", "msgspec", "numpy", "onnxruntime", "prometheus-client", "werkzeug")


def describe() -> dict[str, object]:
    """Processor, cores that may be used, kernel, commit, versions."""
    return {
        "cpu": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "commit": commit(),
        "versions": versions(),
    }


def processor() -> str:
    """The processor's own name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def versions() -> Mapping[str, str]:
    """Python's version and those of the packages that matter, as far as they are installed."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def commit() -> str:
    """The commit of the working tree, with "+" when files differ from it; empty outside of a repository."""
    try:
        found = _git("rev-parse", "--short", "HEAD")
        return f"{found}+" if _git("status", "--porcelain", "--untracked-files=no") else found
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def use_cores(num_cores: int) -> None:
    """Keep this process, and the processes that it starts, on this many of the cores it may use; 0 leaves all."""
    if num_cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:num_cores])
