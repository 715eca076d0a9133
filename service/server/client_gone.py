"""Whether the client of a request that is being answered has gone."""

import select
from typing import Any

_LEFT = getattr(select, "POLLRDHUP", 0)  # Linux; elsewhere only a connection that is closed in both directions counts


def has_gone(connection: Any) -> bool:
    """Say, in a few microseconds and from any thread, whether the client of a socket has closed its side.

    A client that closes its sending side counts as gone, though it might still read: HTTP clients that want an answer
    keep it open.
    """
    if not hasattr(select, "poll"):
        return False
    poller = select.poll()
    try:
        poller.register(connection, _LEFT)
    except (OSError, ValueError):  # closed here meanwhile
        return True
    return bool(poller.poll(0))
