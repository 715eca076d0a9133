"""Requests whose right answers are known: each was asked alone first, one at a time."""

import http.client
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load.plan import Request, post
from benchmarks.running_service import ServiceError

Draft = tuple[str, dict[str, Any] | bytes]
"""Path and body of a request that has not been asked yet; bytes go as they are."""

_PATIENCE_S = 120.0
_TEXTS = Path(__file__).parents[2] / "tests" / "fixtures" / "raw_text" / "uner_ewt.jsonl"
_NAMES = ("Teddy", "Ada Lovelace", "Rosalind", "Bartholomew", "Anna", "Maximilian", "Io", "Charlotte Amalie")
_VERSION = re.compile(rb'"version":"([^"]*)"')
_FIRST_VERSION = b'"version":"1"'


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """A request and its right answer; `answer` is a stream's text by sample when `streams`, else the body."""

    path: str
    body: bytes
    answer: bytes
    streams: bool = False
    status: int = 200

    def is_right(self, body: bytes) -> bool:
        """Whether the body of an answer is, byte for byte, the one given alone; of a stream: its text and its ends."""
        return (stream_content(body) if self.streams else body) == self.answer

    def is_right_at(self, body: bytes, versions: frozenset[str] | set[str]) -> bool:
        """Whether it is but for the bundle's version, which is one of `versions`."""
        return version_of(body) in versions and self.is_right(_VERSION.sub(_FIRST_VERSION, body, count=1))


def version_of(body: bytes) -> str | None:
    """The version of the bundle that an answer names."""
    found = _VERSION.search(body)
    return found[1].decode() if found else None


def stream_content(body: bytes) -> bytes:
    """What a stream of samples says whatever its pieces: the text of each sample, its length and why it ended.

    How many tokens go into one event depends on the clock; what they are does not.
    """
    texts: dict[int, str] = {}
    ends: dict[int, Any] = {}
    events = [line.removeprefix("data: ") for line in body.decode("utf-8").split("\n\n") if line.startswith("data: ")]
    if not events or events[-1] != "[DONE]":
        return b"cut"
    for event in map(json.loads, events[:-1]):
        if "finish_reason" in event:
            ends[event["index"]] = event
        elif "text" in event:
            texts[event["index"]] = texts.get(event["index"], "") + event["text"]
        else:
            return b"failed"
    return json.dumps([sorted(texts.items()), sorted(ends.items())]).encode("utf-8")


def ask_alone(port: int, drafts: Sequence[Draft], *, status: int = 200) -> list[KnownAnswer]:
    """Ask each draft alone, one at a time, and keep its answer; raises ServiceError when it has another status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    known_answers = []
    try:
        for path, body in drafts:
            data = body if isinstance(body, bytes) else json.dumps(body).encode("utf-8")
            connection.request("POST", path, data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != status:
                raise ServiceError(f"POST {path} answers {answer.status}: {text[:500].decode('utf-8', 'replace')}")
            streams = not isinstance(body, bytes) and bool(body.get("stream"))
            known_answers.append(KnownAnswer(path, data, stream_content(text) if streams else text, streams, status))
    finally:
        connection.close()
    return known_answers


def wire_of(known: KnownAnswer, *, units: int = 1) -> Request:
    """The same for the load generator, which compares the bodies of answers with status 200."""
    return Request(post(known.path, known.body), units, known.answer)


def sentences(count: int) -> list[str]:
    """Real English sentences of many lengths; `count` of them, over again when there are fewer."""
    lines = _TEXTS.read_text("utf-8").splitlines()
    texts = [text for line in lines if (text := json.loads(line)["text"].strip())]
    return [texts[index % len(texts)] for index in range(count)]


def tag_drafts(count: int, *, texts_each: int = 1) -> list[Draft]:
    """Requests of /v1/tag, `texts_each` sentences each."""
    texts = sentences(count * texts_each)
    if texts_each == 1:
        return [("/v1/tag", {"text": text}) for text in texts]
    return [("/v1/tag", {"text": texts[start : start + texts_each]}) for start in range(0, len(texts), texts_each)]


def mixed_drafts(count: int) -> list[Draft]:
    """Requests of every task in turn: of five, two tag, one classifies, one scores and one samples."""
    drafts = _mixture()
    return [next(drafts) for _ in range(count)]


def _mixture() -> Iterator[Draft]:
    texts = sentences(160)
    number = 0
    while True:
        text, other = texts[number % len(texts)], texts[(7 * number + 3) % len(texts)]
        name = _NAMES[number % len(_NAMES)]
        yield "/v1/tag", {"text": text}
        yield "/v1/tag", {"text": [text, other, text[: 1 + number % 40].strip() or "a"], "include": ["tokens"]}
        yield "/v1/classify", {"text": [text, other]}
        yield "/v1/score", {"text": [name, other[:30].strip() or "a"], "include": ["tokens"]}
        yield "/v1/sample", {"prompt": name[:3], "seed": number, "n": 1 + number % 3, "max_tokens": 20}
        number += 1
