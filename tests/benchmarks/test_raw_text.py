"""The raw text benchmark: what it reads, what it sends, which spans it takes from the answers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.raw_text import read_raw, tag_over_http, written
from seqserve.tagger.tags import Span
from seqserve.training.reading.conll import Sentence


class Echo:
    """Answers each item with one entity that covers it, and counts the requests."""

    def __init__(self) -> None:
        self.num_requests = 0

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        assert path == "/v1/tag"
        self.num_requests += 1
        (items,) = body.values()
        entity = {"label": "PER", "start": 0, "token_start": 0}
        return {"results": [{"entities": [{**entity, "end": len(item), "token_end": 1}]} for item in items]}


def test_spans_are_read_in_code_points(tmp_path: Path) -> None:
    row = {"text": "😀 Ada\u2028", "spans": [{"label": "PER", "start": 2, "end": 5}]}
    (tmp_path / "raw.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    assert read_raw(tmp_path / "raw.jsonl") == (["😀 Ada\u2028"], [[Span("PER", 2, 5)]])


def test_items_go_in_batches_and_answers_keep_their_order() -> None:
    service = Echo()
    texts = ["x" * length for length in range(70)]
    spans = tag_over_http(service, "text", texts, borders=("start", "end"))
    assert spans == [[Span("PER", 0, length)] for length in range(70)]
    assert service.num_requests == 3


def test_given_tokens_are_scored_by_token() -> None:
    spans = tag_over_http(Echo(), "tokens", [["Ada", "wrote"]], borders=("token_start", "token_end"))
    assert spans == [[Span("PER", 0, 1)]]


def test_tokens_are_put_together_as_they_would_be_written() -> None:
    sentence = Sentence(
        ("Ann", "Lee", "'s", "(", "new", ")", "U.S.", "visit", "."), ("B-PER", "I-PER", *"OOOO", "B-LOC", *"OO")
    )
    text, spans = written(sentence)
    assert text == "Ann Lee's (new) U.S. visit."
    assert [(span.label, text[span.start : span.end]) for span in spans] == [("PER", "Ann Lee"), ("LOC", "U.S.")]
