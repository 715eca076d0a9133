"""Run `seqserve train` as `python -m training`."""

import sys
from collections.abc import Sequence

from seqserve import cli


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    return cli.main(["train", *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == "__main__":
    sys.exit(main())
