"""A copy of the tiny bundle that a test may spoil."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seqserve.manifest import sha256_of

TINY = Path(__file__).parents[1] / "fixtures" / "bundles" / "tiny-ner" / "1"


class Spoiled:
    """A bundle's folder with helpers that change it."""

    def __init__(self, folder: Path, source: Path = TINY) -> None:
        self.folder = folder
        shutil.copytree(source, folder)

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the manifest's JSON."""
        path = self.folder / "manifest.json"
        content = json.loads(path.read_bytes())
        change(content)
        path.write_text(json.dumps(content), encoding="utf-8")

    def replace(self, name: str, content: bytes) -> None:
        """Replace a file and record its new size and checksum, so that only its content is wrong."""
        path = self.folder / name
        path.write_bytes(content)

        def record(part: object) -> None:
            if isinstance(part, dict):
                if part.get("file") == name:
                    part.update(sha256=sha256_of(path), bytes=len(content))
                for value in part.values():
                    record(value)
            elif isinstance(part, list):
                for value in part:
                    record(value)

        self.edit(record)
