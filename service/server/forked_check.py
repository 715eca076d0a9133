"""Something tried in a process of its own first, because it might end the process that does it."""

import os
import select
from collections.abc import Callable

from bundle.errors import SeqserveError

_WELL = b"\0"
_MOST_BYTES = 65_536


class Trial:
    """A forked process that calls a function; only a SeqserveError of it is told."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._outcome = b""
        self._pipe, end = os.pipe()
        if os.fork():
            os.close(end)
            return
        try:
            function()
            message = _WELL
        except SeqserveError as error:
            message = str(error).encode()
        except BaseException as error:
            message = f"checking failed: {error!r}".encode()
        try:
            os.write(end, message)
        finally:
            os._exit(0)

    def is_over(self, timeout_s: float) -> bool:
        """Wait up to so many seconds; say whether the process has ended."""
        if not select.select([self._pipe], [], [], timeout_s)[0]:
            return False
        data = os.read(self._pipe, _MOST_BYTES)
        self._outcome += data
        return not data

    def check(self) -> None:
        """Raise SeqserveError when the function raised one, or the process crashed."""
        os.close(self._pipe)
        if self._outcome != _WELL:
            raise SeqserveError(self._outcome.decode() or "checking the bundles crashed the process that did it")
