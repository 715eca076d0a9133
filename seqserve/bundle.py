"""What the bundles of all kinds have in common."""

from typing import Protocol, TypeVar

from seqserve.entries import Manifest


class Bundle(Protocol):
    """Any loaded bundle; `manifest.task` says what it does."""

    @property
    def manifest(self) -> Manifest:
        """Everything about the bundle that is not weights."""

    @property
    def reproducible(self) -> bool:
        """Whether a row does not change with its batch."""


BundleT = TypeVar("BundleT", bound=Bundle)
