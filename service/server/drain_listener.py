"""Close a listener without losing connections: stop new ones in the kernel, then accept those that wait."""

import contextlib
import ctypes
import struct
from socket import SOL_SOCKET, socket
from typing import Any

_SO_ATTACH_FILTER = 26  # asm-generic/socket.h; the module socket does not have it
_DROP_ALL = struct.pack("=HBBI", 0x06, 0, 0, 0)  # struct sock_filter of linux/filter.h: BPF_RET, no byte is kept


def accept_remaining(listener: socket, *, for_all: bool) -> list[tuple[socket, Any]]:
    """Return the connections that wait, with their addresses, and close the listener.

    for_all: no other process accepts from it. Then the kernel first drops new connections, so that none arrives between
    the last accept and the close; a client that connects meanwhile is refused a second later, when it tries again. On
    systems other than Linux, connections that arrive in these microseconds are lost.
    """
    listener.setblocking(False)
    if for_all:
        drop_new_connections(listener)
    taken = []
    try:
        while True:
            taken.append(listener.accept())
    except OSError:
        listener.close()
    return taken


def drop_new_connections(listener: socket) -> None:
    """Make the kernel drop all packets for a listener; accepted connections keep working. Linux only."""
    program = ctypes.create_string_buffer(_DROP_ALL)
    with contextlib.suppress(OSError):
        listener.setsockopt(SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))
