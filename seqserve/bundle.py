"""What the bundles of all kinds have in common, and a bundle without its sessions."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from seqserve.entries import GraphEntry, Manifest
from seqserve.graph import Graph


class Bundle(Protocol):
    """Any loaded bundle; `manifest.task` says what it does."""

    @property
    def manifest(self) -> Manifest:
        """Everything about the bundle that is not weights."""

    @property
    def reproducible(self) -> bool:
        """Whether a row does not change with its batch."""


BundleT = TypeVar("BundleT", bound=Bundle)


@dataclass(frozen=True, slots=True)
class BundleParts(Generic[BundleT]):
    """The arguments of a bundle's class: `values` as they are, and for each graph the entry it is opened from.

    One process can read it for several, each of which opens the graphs itself.
    """

    kind: Callable[..., BundleT]
    values: Mapping[str, Any]
    graphs: Mapping[str, GraphEntry]

    def open(self, root: Path, *, provider: str = "cpu") -> BundleT:
        """Open the graphs; their weights are mapped from the file, so this takes milliseconds. Raises BundleError."""
        graphs = {name: Graph.open(root / entry.file, entry, provider=provider) for name, entry in self.graphs.items()}
        return self.kind(**self.values, **graphs)

    def with_reproducible(self, reproducible: bool) -> "BundleParts[BundleT]":
        """Return parts whose bundle says whether its rows stand alone."""
        return dataclasses.replace(self, values={**self.values, "reproducible": reproducible})
