"""Gives memory of large requests back to the system; glibc's allocator would keep most of it in every worker."""

import ctypes
import functools
import resource
from collections.abc import Callable
from pathlib import Path

# By default each of a worker's threads gets a heap of its own, and each of them grows to the largest request; and the
# size from which a block is mapped, and so given back when it is freed, grows to 32 MiB. Names as in malloc.h.
_OPTIONS = {"M_ARENA_MAX": (-8, 2), "M_MMAP_THRESHOLD": (-3, 1024 * 1024)}

LARGE_TOKENS = 4_000
"""Requests from this size on are followed by a trim, which takes about a millisecond."""


def use_few_heaps() -> None:
    """Let threads share heaps; to be called before there are any."""
    if set_option := _function("mallopt"):
        for number, value in _OPTIONS.values():
            set_option(number, value)


def trim_after(num_tokens: int) -> None:
    """Return free memory to the system if a request of that size may have left much."""
    if num_tokens >= LARGE_TOKENS and (trim := _function("malloc_trim")):
        trim(0)


def resident_bytes() -> int:
    """Return the resident memory of this process; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


@functools.cache
def _function(name: str) -> Callable[..., int] | None:
    """A function of the C library; None where it has none of that name, as on musl and macOS."""
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return found
