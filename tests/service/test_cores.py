"""Cores by the control group's quota."""

import os
from pathlib import Path

import pytest

from seqserve.service.cores import available_cores

MANY = 1000


@pytest.fixture(autouse=True)
def many_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(MANY)), raising=False)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def cores(tmp_path: Path, membership: str = "0::/\n") -> int:
    write(tmp_path / "membership", membership)
    return available_cores(tmp_path / "cgroup", tmp_path / "membership")


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("200000 100000", 2), ("150000 100000", 2), ("10000 100000", 1), ("max 100000", MANY), ("what", MANY)],
)
def test_version_2(tmp_path: Path, quota: str, expected: int) -> None:
    write(tmp_path / "cgroup" / "cpu.max", quota + "\n")
    assert cores(tmp_path) == expected


@pytest.mark.parametrize(("quota", "expected"), [("300000", 3), ("-1", MANY)])
def test_version_1(tmp_path: Path, quota: str, expected: int) -> None:
    write(tmp_path / "cgroup" / "cpu" / "cpu.cfs_quota_us", quota + "\n")
    write(tmp_path / "cgroup" / "cpu" / "cpu.cfs_period_us", "100000\n")
    assert cores(tmp_path) == expected


def test_the_tightest_of_nested_groups_counts(tmp_path: Path) -> None:
    write(tmp_path / "cgroup" / "system" / "cpu.max", "400000 100000\n")
    write(tmp_path / "cgroup" / "system" / "app" / "cpu.max", "max 100000\n")
    assert cores(tmp_path, "0::/system/app\n") == 4


def test_nested_groups_of_version_1(tmp_path: Path) -> None:
    folder = tmp_path / "cgroup" / "cpu,cpuacct" / "docker" / "abc"
    write(folder / "cpu.cfs_quota_us", "250000\n")
    write(folder / "cpu.cfs_period_us", "100000\n")
    assert cores(tmp_path, "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n") == 3


def test_no_control_groups_at_all(tmp_path: Path) -> None:
    assert available_cores(tmp_path / "none", tmp_path / "nothing") == MANY
