"""`python -m service`: serve, or work offline with `tag` and `check`."""

import os
import sys
from collections.abc import Sequence

from bundle.errors import SeqserveError

_FAILED, _INTERRUPTED = 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; an error on purpose is one sentence on standard error."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given[:1] == ["tag"]:
            from service.offline import tag

            return tag(given[1:], os.environ)
        if given[:1] == ["check"]:
            from service.offline import check

            return check(given[1:])
        from service.settings import read_settings

        settings = read_settings(given, os.environ)
        from service.server import serve  # late: --help and usage errors need none of it

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


if __name__ == "__main__":
    sys.exit(main())
