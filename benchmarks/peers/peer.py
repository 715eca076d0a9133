"""What a caller must know of a peer: how it is asked, how its answer is read, which program starts it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Entities = list[dict[str, Any]]
_JSON = {"Content-Type": "application/json"}


def text_body(text: str) -> bytes:
    """{"text": "…"}, for peers whose request has no form of its own."""
    return json.dumps({"text": text}).encode()


def plain_entities(answer: bytes) -> Entities:
    """The entities of {"entities": […]}."""
    entities: Entities = json.loads(answer)["entities"]
    return entities


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One way to serve the tagger; `entities` reads an answer's entities: text, label, start, end and more.

    module: run as `python -m MODULE` by the interpreter of the environment of the same name, see settings.py.
    max_batch, wait_ms: of its dynamic batching; the best that benchmarks.peers.tuning found.
    """

    name: str
    module: str
    max_batch: int
    wait_ms: int
    path: str = "/tag"
    body: Callable[[str], bytes] = text_body
    headers: Mapping[str, str] = field(default_factory=lambda: dict(_JSON))
    entities: Callable[[bytes], Entities] = plain_entities
