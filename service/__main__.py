"""`python -m service`: `seqserve serve`, or another command of `seqserve` when one is named."""

import sys
from collections.abc import Sequence

from seqserve import cli


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    is_named = bool(given) and given[0] in {command.name for command in cli.COMMANDS}
    return cli.main(given if is_named else ["serve", *given])


if __name__ == "__main__":
    sys.exit(main())
