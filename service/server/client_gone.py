"""Ask a socket whether its client has left."""

import select
from typing import Any

_LEFT = getattr(select, "POLLRDHUP", 0)  # Linux; on other systems only a fully closed connection is seen


def has_closed(connection: Any) -> bool:
    """Return whether the client of a socket has closed its side; takes microseconds, callable from any thread.

    A client that has closed its sending side counts as gone, although it could still read: HTTP clients that want an
    answer keep that side open.
    """
    if not hasattr(select, "poll"):
        return False
    poller = select.poll()
    try:
        poller.register(connection, _LEFT)
    except (OSError, ValueError):  # our side is closed
        return True
    return bool(poller.poll(0))
