"""Return the memory of large requests to the system; glibc's allocator would keep most of it in every worker."""

import ctypes
import functools
import resource
from collections.abc import Callable
from pathlib import Path

# By default each thread of a worker has its own heap, and each heap grows to the largest request. Mapped blocks return
# to the system when they are freed, but the size from which blocks are mapped grows to 32 MiB. Names as in malloc.h.
_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3

LARGE_TOKENS = 4_000
"""Requests from this size on are followed by a trim, which takes about a millisecond."""


def use_few_heaps() -> None:
    """Let threads share heaps; to be called before other threads start."""
    if set_option := _function("mallopt"):
        set_option(_M_ARENA_MAX, 2)
        set_option(_M_MMAP_THRESHOLD, 1024 * 1024)


def trim_after(num_tokens: int) -> None:
    """Return free memory to the system if a request of that size may have left much."""
    if num_tokens >= LARGE_TOKENS and (trim := _function("malloc_trim")):
        trim(0)


def resident_bytes() -> int:
    """Return the resident memory of this process; 0 where the system does not report it."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


@functools.cache
def _function(name: str) -> Callable[..., int] | None:
    """Return a function of the C library, or None where it does not exist, as on musl and macOS."""
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return found
