"""Count the cores that this process may use: by its control group's quota, not by the host's count."""

import math
import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def available_cores(root: Path = CGROUPS, membership: Path = Path("/proc/self/cgroup")) -> int:
    """Return the smaller of the CPUs this process may run on and its CPU quota, rounded up; at least 1.

    Reads cgroup v2 (`cpu.max`, of every group from ours up to the root) and v1 (`cpu.cfs_quota_us`).
    """
    quotas = [quota for folder in _folders(root, membership) if (quota := _quota(folder)) is not None]
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([allowed, *(math.ceil(quota) for quota in quotas)]))


def _folders(root: Path, membership: Path) -> list[Path]:
    folders = [root, root / "cpu", root / "cpu,cpuacct"]
    try:
        lines = membership.read_text("utf-8").splitlines()
    except OSError:
        return folders
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = root / controllers if controllers else root
        group = Path(path.strip("/"))
        folders += [base / folder for folder in (group, *group.parents)]
    return folders


def _quota(folder: Path) -> float | None:
    """Return the cores that one control group grants; None without a limit."""
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text("utf-8").split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text("utf-8")
            period = (folder / "cpu.cfs_period_us").read_text("utf-8")
        return int(quota) / int(period) if quota != "max" and int(quota) > 0 else None
    except (OSError, ValueError):
        return None
