"""Rows of Parquet files as records, and the names of their integer tags. Needs pyarrow, the extra `parquet`."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from seqserve.training.reading.lines import TextError


def read_parquet_records(path: Path) -> Iterator[tuple[Any, str]]:
    """Yield each row as a record, and its place; raises TextError."""
    with _opened(path) as file:
        rows = (row for batch in file.iter_batches(batch_size=1024) for row in batch.to_pylist())
        yield from ((row, f"{path}, row {number}") for number, row in enumerate(rows, 1))


def tag_names_of(path: Path) -> tuple[str, ...]:
    """Return the names of integer tags that the library `datasets` keeps in a file's metadata; none where it has none.

    Raises TextError.
    """
    with _opened(path) as file:
        metadata = file.schema_arrow.metadata or {}
    try:
        features = msgspec.json.decode(metadata[b"huggingface"])["info"]["features"].values()
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError, msgspec.DecodeError):
        return ()
    for feature in features:
        inner = feature.get("feature") if isinstance(feature, dict) else None
        if isinstance(inner, dict) and isinstance(inner.get("names"), list):
            return tuple(inner["names"])
    return ()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file; raises TextError, also for what is found while it is read."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise TextError(
            f"{path}: reading Parquet needs pyarrow, the extra `parquet`: pip install '.[parquet]'"
        ) from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            yield file
    except FileNotFoundError:
        raise TextError(f"{path}: there is no such file") from None
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise TextError(f"{path}: cannot be read as Parquet: {error}") from None
