"""Rows of Parquet files as records, and the names of their integer tags. Needs pyarrow, the extra `parquet`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from seqserve.training.reading.lines import TextError


def read_parquet_records(path: Path) -> Iterator[tuple[Any, str]]:
    """Yield each row as a record, and its place; raises TextError."""
    file = _opened(path)
    number = 0
    for batch in file.iter_batches(batch_size=1024):
        for row in batch.to_pylist():
            number += 1
            yield row, f"{path}, row {number}"


def tag_names_of(path: Path) -> tuple[str, ...]:
    """Return the names of integer tags that the library `datasets` keeps in a file's metadata; none where it has none.

    Raises TextError.
    """
    try:
        features = msgspec.json.decode((_opened(path).schema_arrow.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, msgspec.DecodeError):
        return ()
    for feature in features.values():
        inner = feature.get("feature") if isinstance(feature, dict) else None
        if isinstance(inner, dict) and isinstance(inner.get("names"), list):
            return tuple(inner["names"])
    return ()


def _opened(path: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise TextError(
            f"{path}: reading Parquet needs pyarrow, the extra `parquet`: pip install '.[parquet]'"
        ) from None
    try:
        return pyarrow.parquet.ParquetFile(path)
    except FileNotFoundError:
        raise TextError(f"{path}: there is no such file") from None
    except (pyarrow.ArrowException, OSError) as error:
        raise TextError(f"{path}: cannot be read as Parquet: {error}") from None
