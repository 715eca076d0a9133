"""Requests of every task, size and fate for the memory run, and clients that send them at random."""

import contextlib
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Sequence
from types import TracebackType

from benchmarks.faults.connection import Connection, Outcome
from benchmarks.faults.known_answers import Draft, KnownAnswer, ask_alone, sentences

_NUM_GOOD = 1200
_NUM_SHORT = 12
"""Requests of one short text for each six of any size: most that a service gets are short."""

_LONGEST_WORDS = 400
_LONGEST_CLASSIFIED_WORDS = 100
_MOST_TEXTS = 64
_SHORT_PATHS = ("/v1/tag", "/v1/classify", "/v1/score")
_PATIENCE_S = 30.0
_BAD: tuple[tuple[int, Draft], ...] = (
    (400, ("/v1/tag", b'{"text": "cut')),
    (400, ("/v1/score", b"\xff\xfe")),
    (400, ("/v1/classify", b"[" * 5000)),
    (422, ("/v1/tag", {"text": []})),
    (422, ("/v1/tag", {"text": "a", "colour": "red"})),
    (422, ("/v1/sample", {"temperature": -1})),
    (404, ("/v1/tag", {"text": "a", "model": "nobody"})),
    (404, ("/v1/nothing", {"text": "a"})),
)
_SHARES = {"good": 90, "bad": 6, "gone": 4}
"""Of a hundred requests; gone: the client closes in the middle of sending, or without waiting for its answer."""


def prepare(port: int) -> tuple[list[KnownAnswer], list[KnownAnswer]]:
    """Good and bad requests with their answers, each asked alone."""
    good = ask_alone(port, varied_drafts(_NUM_GOOD))
    bad = [known for status, draft in _BAD for known in ask_alone(port, [draft], status=status)]
    return good, bad


def varied_drafts(count: int) -> list[Draft]:
    """Requests of 1 to 64 texts and 1 to 400 words, two of three of one short text, of every task.

    The same every time.
    """
    chance = random.Random(1)
    texts = sentences(160)

    def text() -> str:
        words = " ".join(chance.choices(texts, k=1 + int(20 * chance.random() ** 6)))
        return _cut(words, 1 + int(_LONGEST_WORDS * chance.random() ** 2))

    def some(most: int) -> list[str]:
        return [text() for _ in range(1 + int(most * chance.random() ** 4))]

    def sample() -> dict[str, object]:
        return {
            "prompt": chance.choice(["", "A", "Jo", "Mar"]),
            "seed": chance.randrange(1000),
            "n": chance.randint(1, 8),
            "max_tokens": chance.randint(1, 120),
            "temperature": chance.choice([0, 0.7, 1.0]),
            "top_k": chance.choice([0, 5]),
            "top_p": chance.choice([1.0, 0.9]),
            "stream": chance.random() < 0.3,
        }

    drafts: list[Draft] = []
    while len(drafts) < count:
        drafts += [
            ("/v1/tag", {"text": text()}),
            (
                "/v1/tag",
                {"text": some(_MOST_TEXTS), "include": chance.choice([[], ["tokens"], ["tag_probs", "tokens"]])},
            ),
            ("/v1/classify", {"text": [_cut(each, _LONGEST_CLASSIFIED_WORDS) for each in some(_MOST_TEXTS)]}),
            ("/v1/score", {"text": [each[:200].strip() for each in some(16)], "include": ["tokens"], "top": 3}),
            ("/v1/score", {"text": text()[:200].strip()}),
            ("/v1/sample", sample()),
            *((chance.choice(_SHORT_PATHS), {"text": _cut(chance.choice(texts), 25)}) for _ in range(_NUM_SHORT)),
        ]
    return drafts[:count]


def _cut(text: str, num_words: int) -> str:
    return " ".join(text.split()[:num_words])


class Mixers:
    """Clients that send the mixture until `limit` requests were sent, from `with` on; `counts` says what became."""

    def __init__(
        self, port: int, known_answers: tuple[Sequence[KnownAnswer], Sequence[KnownAnswer]], size: int, limit: int
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.details: Counter[str] = Counter()
        self._port = port
        self._good, self._bad = known_answers
        self._limit = limit
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(size)]

    def __enter__(self) -> "Mixers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def num_sent(self) -> int:
        """How many requests were sent, whatever became of them."""
        return self.counts.total()

    @property
    def is_done(self) -> bool:
        """Whether all were sent."""
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, number: int) -> None:
        chance = random.Random(number)
        connection = Connection(self._port, reuse=number % 4 != 0)
        while not self._stop.is_set() and self.num_sent < self._limit:
            (kind,) = chance.choices(list(_SHARES), list(_SHARES.values()))
            if kind == "gone":
                leave_early(self._port, chance.choice(self._good), chance)
                self._count("gone", "")
                continue
            asked = connection.ask(chance.choice(self._good if kind == "good" else self._bad))
            self._count(str(asked.outcome), f"{asked.outcome}: {asked.known.path} {asked.detail}")
        connection.close()

    def _count(self, outcome: str, detail: str) -> None:
        with self._lock:
            self.counts[outcome] += 1
            if outcome not in ("gone", Outcome.RIGHT):
                self.details[detail] += 1


def leave_early(port: int, known: KnownAnswer, chance: random.Random) -> None:
    """Send a part of a request, or all of it, and close without reading: politely, or by a reset."""
    head = f"POST {known.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    data = f"{head}Content-Length: {len(known.body)}\r\n\r\n".encode() + known.body
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S) as connection:
        connection.sendall(data[: chance.choice([0, 20, len(data) - 5, len(data)])])
        if chance.random() < 0.5:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
