"""What a kind of model is made of; `seqserve.kinds` lists them."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from seqserve.bundle import BundleParts, BundleT
from seqserve.entries import Manifest
from seqserve.errors import BundleError
from seqserve.model import Model

ManifestT = TypeVar("ManifestT", bound=Manifest)


@dataclass(frozen=True, slots=True)
class Kind(Generic[ManifestT, BundleT]):
    """The parts of a kind; `word` names one of its models to a person ("tagger").

    read_parts: reads all but the graphs. check: compares the recorded answers and says whether rows stand alone. Both
    raise BundleError. model: the public class.
    """

    word: str
    manifest: type[ManifestT]
    bundle: type[BundleT]
    read_parts: Callable[[Path, ManifestT], BundleParts[BundleT]]
    check: Callable[[Path, BundleT], bool]
    model: type[Model[BundleT]]

    @property
    def task(self) -> str:
        """What its models do, as manifests say it."""
        return str(self.manifest.__struct_config__.tag)

    def open(self, root: Path, manifest: ManifestT, *, provider: str = "cpu") -> BundleT:
        """Open a folder whose files were verified and compare its answers; raises BundleError."""
        bundle = self.read_parts(root, manifest).open(root, provider=provider)
        try:
            reproducible = self.check(root, bundle)
        except BundleError:
            raise
        except Exception as error:  # the runtime's errors have no common base
            first, *others = [entry.file for entry in manifest.graph_files()]
            reason = " ".join(str(error).split())
            raise BundleError(f"{' and '.join([str(root / first), *others])}: cannot be run: {reason}") from error
        copy: Any = bundle  # each is a dataclass
        opened: BundleT = dataclasses.replace(copy, reproducible=reproducible)
        return opened
