"""`python -m service`: serve, or work offline with one of the other commands."""

import importlib
import os
import sys
from collections.abc import Sequence

from seqserve.errors import SeqserveError

_FAILED, _INTERRUPTED = 1, 130

_COMMANDS = ("tag", "score", "rank", "sample", "classify", "transduce", "check")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; an error on purpose is one sentence on standard error."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given and given[0] in _COMMANDS:
            return _run(given[0], given[1:])
        from seqserve.service.read_settings import read_settings

        settings = read_settings(given, os.environ)
        from seqserve.service.server.serve import serve  # late: --help and usage errors need none of it

        serve(settings)
    except SeqserveError as error:
        print(f"seqserve: {error}", file=sys.stderr)
        return _FAILED
    except BrokenPipeError:
        # Whoever read our output has enough; the interpreter must not complain when it flushes what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


def _run(command: str, arguments: Sequence[str]) -> int:
    # Late, one by one: each needs a part of the service only.
    module = importlib.import_module(f"seqserve.service.offline.{command}")
    run = getattr(module, command)
    return int(run(arguments) if command == "check" else run(arguments, os.environ))


if __name__ == "__main__":
    sys.exit(main())
