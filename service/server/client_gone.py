"""Whether the client of a request that is being answered has gone."""

import select
from collections.abc import Callable
from typing import Any

_LEFT = getattr(select, "POLLRDHUP", 0)  # Linux; elsewhere only a connection that is closed in both directions counts


def departure_of(environ: dict[str, Any]) -> Callable[[], bool] | None:
    """Return a function that says, in a microsecond and from any thread, whether the client has closed its side.

    None where the server does not show the connection. A client that closes its sending side counts as gone, though it
    might still read: HTTP clients that want an answer keep it open.
    """
    connection = environ.get("gunicorn.socket")
    if connection is None or not hasattr(select, "poll"):
        return None
    poller = select.poll()
    poller.register(connection, _LEFT)
    return lambda: bool(poller.poll(0))
