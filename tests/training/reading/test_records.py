"""What annotation tools write for a text and its spans, or for tokens and their tags."""

from typing import Any

import pytest

from seqserve.training.reading.annotated_text import AnnotatedText
from seqserve.training.reading.lines import TextError
from seqserve.training.reading.records import TaggedTokens, read_record

TEXT = "Ann saw Rome"
RESULT = [
    {"value": {"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}, "to_name": "body", "type": "labels"},
    {"value": {"start": 8, "end": 12, "text": "Rome", "labels": ["LOC"]}, "to_name": "body", "type": "labels"},
    {"value": {"choices": ["news"]}, "to_name": "body", "type": "choices"},
]
RECORDS: dict[str, Any] = {
    "doccano": {"id": 1, "text": TEXT, "label": [[0, 3, "PER"], [8, 12, "LOC"]], "Comments": []},
    "doccano with relations": {
        "text": TEXT,
        "entities": [
            {"id": 1, "label": "PER", "start_offset": 0, "end_offset": 3},
            {"id": 2, "label": "LOC", "start_offset": 8, "end_offset": 12},
        ],
        "relations": [],
    },
    "Prodigy": {
        "text": TEXT,
        "tokens": [{"text": "Ann", "start": 0, "end": 3, "id": 0}],
        "spans": [
            {"start": 0, "end": 3, "token_start": 0, "token_end": 0, "label": "PER"},
            {"start": 8, "end": 12, "token_start": 2, "token_end": 2, "label": "LOC"},
        ],
        "answer": "accept",
    },
    "spaCy's pair": [TEXT, {"entities": [[0, 3, "PER"], [8, 12, "LOC"]]}],
    "spaCy's document": {
        "text": TEXT,
        "ents": [{"start": 0, "end": 3, "label": "PER"}, {"start": 8, "end": 12, "label": "LOC"}],
        "tokens": [{"id": 0, "start": 0, "end": 3}],
    },
    "Label Studio": {"id": 4, "data": {"title": "x", "body": TEXT}, "annotations": [{"result": RESULT}]},
    "Label Studio, cancelled first": {
        "data": {"body": TEXT},
        "annotations": [{"was_cancelled": True, "result": []}, {"result": RESULT}],
    },
    "Label Studio, ground truth last": {
        "data": {"body": TEXT},
        "annotations": [{"result": []}, {"ground_truth": True, "result": RESULT}],
    },
    "Label Studio, JSON-MIN": {"text": TEXT, "label": [each["value"] for each in RESULT[:2]], "annotator": 1},
    "columns of Parquet": {"text": TEXT, "spans": {"start": [0, 8], "end": [3, 12], "label": ["PER", "LOC"]}},
}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_a_text_with_its_spans(record: Any) -> None:
    found = read_record(record, "f, line 1")
    assert isinstance(found, AnnotatedText)
    assert found.text == TEXT
    assert [span[:3] for span in found.spans] == [(0, 3, "PER"), (8, 12, "LOC")]


@pytest.mark.parametrize("key", ["ner_tags", "tags", "labels"])
@pytest.mark.parametrize("values", [("B-PER", "O"), (1, 0)], ids=["names", "numbers"])
def test_tokens_with_tags(key: str, values: tuple[str | int, ...]) -> None:
    found = read_record({"id": "0", "tokens": ["Jose\u0301", "ran"], key: list(values)}, "f, row 1")
    assert found == TaggedTokens(("Jos\u00e9", "ran"), values, "f, row 1")


@pytest.mark.parametrize("record", [{"text": TEXT}, {"text": TEXT, "spans": None}], ids=["no key", "null"])
def test_a_text_without_spans(record: Any) -> None:
    found = read_record(record, "f, line 1")
    assert found == AnnotatedText(TEXT, (), "f, line 1", has_spans="spans" in record)


@pytest.mark.parametrize(
    "record",
    [
        {"text": TEXT, "spans": [], "answer": "reject"},
        {"text": TEXT, "spans": [], "answer": "ignore"},
        {"data": {"text": TEXT}, "annotations": [{"was_cancelled": True, "result": []}]},
    ],
    ids=["rejected", "ignored", "cancelled"],
)
def test_what_annotators_left_out(record: Any) -> None:
    assert read_record(record, "f, line 1") is None


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("text", "is neither an object nor a text with its entities"),
        ({"body": TEXT}, r"must hold a text \(text, .*\) and its spans \(spans, .*it has body"),
        ({"text": TEXT, "label": ["news"]}, "label holds 'news', which has no start, end and label"),
        ({"text": TEXT, "spans": [{"start": 0, "end": 3}]}, "spans holds .*, which has no start, end and label"),
        ({"text": TEXT, "spans": "x"}, "spans must be a list"),
        ({"tokens": ["a", "b"], "tags": ["O"]}, "has 2 tokens and 1 tags"),
        ({"tokens": ["a", " "], "tags": ["O", "O"]}, "a token is empty"),
        ({"tokens": ["a"], "tags": [0.5]}, "tags must be names or integers"),
        ({"data": {"n": 1}, "annotations": [{"result": []}]}, "data holds no text"),
    ],
)
def test_anything_else_is_named(record: Any, message: str) -> None:
    with pytest.raises(TextError, match=f"^f, line 1: {message}"):
        read_record(record, "f, line 1")
