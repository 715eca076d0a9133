"""The end of a listener: whoever the kernel has let in is taken, and nobody is let in who would not be."""

import contextlib
import ctypes
import struct
from socket import SOL_SOCKET, socket
from typing import Any

_SO_ATTACH_FILTER = 26  # asm-generic/socket.h; the module socket does not have it
_DROP_ALL = struct.pack("=HBBI", 0x06, 0, 0, 0)  # struct sock_filter of linux/filter.h: BPF_RET, no byte is kept


def take_the_last(listener: socket, *, for_all: bool) -> list[tuple[socket, Any]]:
    """Return the connections that wait, with their addresses, and close the listener.

    for_all: no other process will take connections of it. The kernel is told first to let nobody in, so that nothing
    comes between the last look and the close; a client that tries meanwhile is told a second later that nobody
    listens. Where that cannot be done (another system than Linux), what comes in these microseconds is lost.
    """
    listener.setblocking(False)
    if for_all:
        let_nobody_in(listener)
    taken = []
    try:
        while True:
            taken.append(listener.accept())
    except OSError:
        listener.close()
    return taken


def let_nobody_in(listener: socket) -> None:
    """Make the kernel drop whatever comes for a listener; its connections go on. Only Linux can do so."""
    program = ctypes.create_string_buffer(_DROP_ALL)
    with contextlib.suppress(OSError):
        listener.setsockopt(SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))
