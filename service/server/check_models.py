"""Check bundles in a process of its own, which `seqserve.service.server.checking` starts.

A file may crash the runtime, or block it for ever, which must not happen to the server. The server reads this process's
standard output: one JSON message a line (service/engine/reports.py), the last of which is `finished` or `failed`.
"""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from seqserve.errors import SeqserveError
from seqserve.service.engine.checks import check_bundles, choose_provider
from seqserve.service.engine.reports import BundleReport, CheckOrder, Failed, Finished

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

Write = Callable[[msgspec.Struct], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Check and report; return 0 also when a bundle has failed, because the messages report it.

    arguments: the order, then a report of each bundle that is checked only if it has changed, as JSON.
    """
    given, *reports = sys.argv[1:] if arguments is None else arguments
    order = msgspec.json.decode(given, type=CheckOrder)
    _end_with(order.parent)
    write = _take_output()
    try:
        models = [Path(os.fsdecode(folder)) for folder in order.models]
        known = [msgspec.json.decode(report, type=BundleReport) for report in reports]
        for message in check_bundles(models, provider=choose_provider(order.provider), known=known):
            write(message)
    except SeqserveError as error:
        write(Failed(_plain(str(error))))
    except Exception as error:
        write(Failed(_plain(f"the check of the models failed: {error!r}")))
    else:
        write(Finished())
    return 0


def _end_with(parent: int) -> None:
    """Make the kernel end this process when its parent ends for any reason; Linux only."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it had ended before the kernel was told
        os._exit(1)


def _take_output() -> Write:
    """Keep standard output for messages; output of libraries goes to standard error from now on."""
    output = os.dup(1)
    with contextlib.suppress(OSError):  # standard error may be closed
        os.dup2(2, 1)

    def write(message: msgspec.Struct) -> None:
        with open(output, "wb", closefd=False) as file:
            file.write(msgspec.json.encode(message) + b"\n")

    return write


def _plain(sentence: str) -> str:
    """Return a sentence that JSON can hold, with escapes for the bytes of a file name that are not UTF-8."""
    return sentence.encode("utf-8", "backslashreplace").decode("utf-8")


if __name__ == "__main__":
    os._exit(main())  # the runtime's own clean-up may take long, and may crash
