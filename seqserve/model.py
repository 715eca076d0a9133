"""What the public classes of all kinds have in common."""

from typing import Any, Generic

from seqserve.errors import SeqserveError
from seqserve.kind import BundleT


class Model(Generic[BundleT]):
    """An open model; as a context manager it closes itself."""

    def __init__(self, bundle: BundleT) -> None:
        self._bundle: BundleT | None = bundle

    @property
    def bundle(self) -> BundleT:
        """The arrays' side of the model; raises SeqserveError once it is closed."""
        if self._bundle is None:
            raise SeqserveError("The model is closed.")
        return self._bundle

    def close(self) -> None:
        """Let go of the graphs and weights; calls that still run end first."""
        self._bundle = None

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
