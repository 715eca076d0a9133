"""The whole real service, but that one run of a graph never returns: the next one after a file has appeared.

The file is named by SEQSERVE_FAULT_FILE and taken away by the run that gets stuck, so that there is one.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

from seqserve.service.__main__ import main
from seqserve.service.engine import models

FILE_VARIABLE = "SEQSERVE_FAULT_FILE"
_MAKERS = ("make_batcher", "make_score_batcher")


def hindered(make: Callable[..., Any], file: str) -> Callable[..., Any]:
    """Wrap one of the engine's makers of batchers."""

    def make_hindered(*arguments: Any, **options: Any) -> Any:
        batcher = make(*arguments, **options)
        run = batcher._run

        def run_or_hang(rows: list[Any]) -> Any:
            try:
                os.unlink(file)
            except FileNotFoundError:
                return run(rows)
            never, _ = os.pipe()
            return os.read(never, 1)  # nobody writes: as a kernel that does not come back

        batcher._run = run_or_hang
        return batcher

    return make_hindered


if __name__ == "__main__":
    for name in _MAKERS:
        setattr(models, name, hindered(getattr(models, name), os.environ[FILE_VARIABLE]))
    sys.exit(main())
