"""Commands that print the numbers of README and model cards."""

import sys
from collections.abc import Callable

from seqserve.errors import SeqserveError


def run(main: Callable[[], int]) -> None:
    """Run a benchmark's main function and exit; what cannot be measured is one sentence."""
    try:
        sys.exit(main())
    except SeqserveError as error:
        sys.exit(f"error: {error}")
