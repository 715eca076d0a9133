"""The order and the messages of a check of bundles, which cross from one process to another."""

import os
from pathlib import Path

import msgspec

Stamps = tuple[tuple[int, int], ...]
"""Inode and time of change (nanoseconds) of a bundle's manifest and of each file that a worker opens."""


class CheckOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The folders of models that a process checks, as `find_models` takes them, for the process `parent`."""

    models: list[bytes]
    provider: str
    parent: int


class BundleReport(msgspec.Struct, frozen=True, kw_only=True, tag="bundle"):
    """A bundle that passed its checks; `folder` as the system's bytes, because a name may not be UTF-8.

    reproducible: whether rows stood alone, as far as the graphs were run. stamps: taken before the check began.
    """

    folder: bytes
    name: str
    version: str
    task: str
    manifest_sha256: str
    reproducible: bool
    stamps: Stamps

    @property
    def path(self) -> Path:
        """The bundle's folder."""
        return Path(os.fsdecode(self.folder))


class Checking(msgspec.Struct, frozen=True, tag="checking"):
    """The check of a bundle has begun."""

    folder: bytes


class Skipped(msgspec.Struct, frozen=True, tag="skipped"):
    """A folder that is not served; `reason` continues a sentence that begins with the folder."""

    folder: bytes
    reason: str


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The last message of a check that has failed; `reason` is one sentence that names the file."""

    reason: str


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The last message of a check in which every bundle has passed."""


Message = BundleReport | Checking | Skipped
"""The messages before the last one."""
