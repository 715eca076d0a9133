"""Give clients turns, and the requests of a client too, so that short work does not wait for long work."""

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

from seqserve.service.engine.sampling.handle import SampleHandle

Item = TypeVar("Item")

_Line = dict[SampleHandle, deque[Item]]


class Turns(Generic[Item]):
    """Items that wait, each of a request; both clients and requests are in the order of their turns."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line[Item]] = {}
        self._num_items = 0

    def __len__(self) -> int:
        return self._num_items

    @property
    def clients(self) -> Iterator[tuple[str, int]]:
        """The clients, each with the number of its items."""
        return ((client, sum(map(len, line.values()))) for client, line in self._lines.items())

    def add(self, handle: SampleHandle, item: Item) -> None:
        """Add an item, after the other items of its request."""
        line = self._lines.setdefault(handle.cancellation.client, {})
        line.setdefault(handle, deque()).append(item)
        self._num_items += 1

    def first(self, client: str | None = None) -> Item:
        """Return the next item of a client, or of all clients; there must be one."""
        line = self._lines[next(iter(self._lines)) if client is None else client]
        return next(iter(line.values()))[0]

    def take(self, client: str | None = None) -> Item:
        """Remove the next item of a client, or of all clients; its client and request then come last."""
        client = next(iter(self._lines)) if client is None else client
        line = self._lines.pop(client)
        handle = next(iter(line))
        items = line.pop(handle)
        item = items.popleft()
        if items:
            line[handle] = items
        if line:
            self._lines[client] = line
        self._num_items -= 1
        return item

    def drop(self, handle: SampleHandle) -> None:
        """Remove the items of a request."""
        line = self._lines.get(handle.cancellation.client, {})
        self._num_items -= len(line.pop(handle, ()))
        if not line:
            self._lines.pop(handle.cancellation.client, None)
