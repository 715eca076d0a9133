"""What the public classes of all kinds have in common."""

from collections.abc import Iterator
from typing import Any, Generic, Self, TypeVar

from seqserve.bundle import BundleT
from seqserve.errors import SeqserveError

Result = TypeVar("Result")


class Model(Generic[BundleT]):
    """An open model, safe from many threads; as a context manager it closes itself.

    It starts no thread: ONNX Runtime runs its graphs in the thread that calls. NumPy's OpenBLAS has threads of its own
    from the import on, unless OPENBLAS_NUM_THREADS is 1.
    """

    def __init__(self, bundle: BundleT) -> None:
        if not hasattr(bundle, "manifest"):
            raise SeqserveError(f"A {type(self).__name__} is opened by seqserve.load, not made of {bundle!r}.")
        self._bundle: BundleT | None = bundle
        self._manifest = bundle.manifest

    @property
    def bundle(self) -> BundleT:
        """The arrays' side of the model; raises SeqserveError once it is closed."""
        if self._bundle is None:
            raise SeqserveError(f"The model {self.name!r} is closed.")
        return self._bundle

    @property
    def manifest(self) -> Any:
        """Everything about the model that is not weights, of its kind's own type."""
        return self._manifest

    @property
    def name(self) -> str:
        """The model's name."""
        return self._manifest.name

    @property
    def version(self) -> str:
        """The model's version."""
        return self._manifest.version

    def close(self) -> None:
        """Let go of graphs and weights; calls that still run end first."""
        self._bundle = None

    def _streamed(self, answers: list[Result] | Iterator[Result]) -> list[Result] | Iterator[Result]:
        """Return a list as it is, and an iterator that raises SeqserveError once the model is closed."""
        return answers if isinstance(answers, list) else self._while_open(answers)

    def _while_open(self, answers: Iterator[Result]) -> Iterator[Result]:
        _ = self.bundle
        for answer in answers:
            yield answer
            _ = self.bundle

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __reduce__(self) -> Any:
        """Refuse to be pickled or copied; raises SeqserveError."""
        raise SeqserveError(f"The model {self.name!r} cannot be pickled or copied: load it where it is used.")

    def __repr__(self) -> str:
        """Return what the model is, by name and version."""
        return f"<{type(self).__name__} {self.name} {self.version}{', closed' if self._bundle is None else ''}>"
