"""The load generator, with an eye on every answer: when it came, and whether a refusal is as it should be."""

import re
import time
from dataclasses import dataclass, field

from benchmarks.load import connection
from benchmarks.load.connection import Answer
from benchmarks.load.generator import drive
from benchmarks.load.plan import Load, Outcome

_HEAD_END = b"\r\n\r\n"
_RETRY_AFTER = re.compile(rb"\r\nretry-after: [1-9][0-9]*\r\n")
_PROBLEM = b"\r\ncontent-type: application/problem+json\r\n"
_OVERLOADED = b'"code":"overloaded"'
_OK, _UNAVAILABLE = 200, 503


@dataclass(slots=True)
class Watch:
    """What was seen of the answers as they came.

    `good_at`: instants of answers 200, since the first request was due. A refusal for being overloaded is well-formed
    with status 503, Retry-After and a problem with that code; `first_bad` is the start of the first other answer.
    """

    good_at: list[float] = field(default_factory=list)
    num_refused: int = 0
    num_bad: int = 0
    first_bad: str = ""

    def see(self, answer: Answer, data: bytes, at: float) -> None:
        """Look at one whole answer."""
        if answer.status == _OK:
            self.good_at.append(at)
            return
        head = data[: data.find(_HEAD_END) + 2].lower()
        if (
            answer.status == _UNAVAILABLE
            and _PROBLEM in head
            and _OVERLOADED in answer.body
            and _RETRY_AFTER.search(head)
        ):
            self.num_refused += 1
            return
        self.num_bad += 1
        self.first_bad = self.first_bad or data[:600].decode("utf-8", "replace")

    def good_per_s(self, load: Load) -> float:
        """Answers 200 a second that came while the load was offered, the warm-up left out; later ones do not count."""
        begin, end = load.warm_up_s, load.warm_up_s + load.seconds
        return sum(begin <= at < end for at in self.good_at) / load.seconds


def drive_watched(load: Load) -> tuple[Outcome, Watch]:
    """Drive a load and look at the head and the body of every answer; for a process of its own."""
    watch = Watch()
    read = connection.read_answer
    started_at = time.perf_counter()

    def read_and_see(data: bytes) -> tuple[Answer | None, int]:
        answer, needed = read(data)
        if answer is not None:
            watch.see(answer, data, time.perf_counter() - started_at)
        return answer, needed

    connection.read_answer = read_and_see
    try:
        return drive(load), watch
    finally:
        connection.read_answer = read
