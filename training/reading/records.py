"""Records of annotation tools: a text with spans of characters, or tokens with tags, under the names that tools use.

A record is an object of JSON or a row of Parquet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqserve.training.reading.annotated_text import AnnotatedText, CharacterSpan
from seqserve.training.reading.lines import TextError, composed

_TEXTS = ("text", "data", "sentence", "content")
SPAN_KEYS = ("spans", "entities", "ents", "labels", "label")
_TAGS = ("ner_tags", "tags", "ner", "labels")
_STARTS = ("start", "start_offset", "begin")
_ENDS = ("end", "end_offset")
_LABELS = ("label", "labels", "type", "tag")
_KNOWN = (
    f"a text ({', '.join(_TEXTS)}) and its spans ({', '.join(SPAN_KEYS)}), "
    f"or tokens and their tags ({', '.join(_TAGS)})"
)


@dataclass(frozen=True)
class TaggedTokens:
    """Tokens of one sentence and their tags as the file writes them; integers are numbers of names."""

    tokens: tuple[str, ...]
    values: tuple[str | int, ...]
    place: str


Example = AnnotatedText | TaggedTokens


def read_record(record: Any, place: str) -> Example | None:
    """Return what a record holds; None where an annotator has rejected or skipped it.

    Known are doccano, Prodigy, Label Studio (JSON and JSON-MIN), spaCy's `[text, {"entities": …}]` and `to_json`, and
    the tokens and tags of data sets. Raises TextError, beginning with the place, for anything else.
    """
    if isinstance(record, list) and len(record) == 2 and isinstance(record[0], str) and isinstance(record[1], dict):
        record = {**record[1], "text": record[0]}
    if not isinstance(record, dict):
        raise TextError(f"{place}: is neither an object nor a text with its entities")
    if record.get("answer", "accept") != "accept":
        return None
    if isinstance(record.get("data"), dict):
        return _task_of_label_studio(record, place)
    tokens = record.get("tokens")
    if isinstance(tokens, list) and all(isinstance(token, str) for token in tokens):
        key = next((key for key in _TAGS if isinstance(record.get(key), list)), None)
        if key is not None:
            return _tagged(tokens, record[key], place)
    text = next((record[key] for key in _TEXTS if isinstance(record.get(key), str)), None)
    if text is None:
        raise TextError(f"{place}: must hold {_KNOWN}; it has {', '.join(map(str, record)) or 'nothing'}")
    key = next((key for key in SPAN_KEYS if key in record), None)
    if key is None:
        return AnnotatedText(text, (), place, has_spans=False)
    return AnnotatedText(text, tuple(_span(span, key, place) for span in _list(record[key], key, place)), place)


def _tagged(tokens: Sequence[str], values: Sequence[Any], place: str) -> TaggedTokens:
    if len(tokens) != len(values):
        raise TextError(f"{place}: has {len(tokens)} tokens and {len(values)} tags")
    if not all(isinstance(value, str | int) for value in values):
        raise TextError(f"{place}: tags must be names or integers")
    if not all(token.strip() for token in tokens):
        raise TextError(f"{place}: a token is empty")
    return TaggedTokens(tuple(map(composed, tokens)), tuple(values), place)


def _task_of_label_studio(task: Mapping[str, Any], place: str) -> Example | None:
    """Return the first annotation of a task that was not cancelled, the ground truth before others."""
    annotations = _list(task.get("annotations", task.get("completions")), "annotations", place)
    chosen = [each for each in annotations if isinstance(each, dict) and not each.get("was_cancelled")]
    if not chosen:
        return None
    annotation = next((each for each in chosen if each.get("ground_truth")), chosen[0])
    spans = [
        _span(each["value"], "value", place)
        for each in _list(annotation.get("result"), "result", place)
        if isinstance(each, dict) and isinstance(each.get("value"), dict) and "start" in each["value"]
    ]
    texts = {key: value for key, value in task["data"].items() if isinstance(value, str)}
    names = [each.get("to_name") for each in _list(annotation.get("result"), "result", place) if isinstance(each, dict)]
    keys = [key for key in (*names, *_TEXTS, *texts) if key in texts]
    if not keys:
        raise TextError(f"{place}: data holds no text")
    return AnnotatedText(texts[keys[0]], tuple(spans), place)


def _list(value: Any, key: str, place: str) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, dict) and all(isinstance(each, list) for each in value.values()):
        value = [
            dict(zip(value, row, strict=False)) for row in zip(*value.values(), strict=False)
        ]  # columns of Parquet
    if not isinstance(value, list):
        raise TextError(f"{place}: {key} must be a list")
    return value


def _span(span: Any, key: str, place: str) -> CharacterSpan:
    """Return a span of an object or of `[start, end, label]`."""
    text = None
    start: Any
    end: Any
    label: Any
    if isinstance(span, dict):
        start, end, label = (
            next((span[name] for name in names if name in span), None) for names in (_STARTS, _ENDS, _LABELS)
        )
        text = span.get("text")
        if isinstance(label, list) and len(label) == 1:
            (label,) = label
    elif isinstance(span, list) and len(span) >= 3:
        start, end, label = span[:3]
    else:
        start = end = label = None
    if not (isinstance(start, int) and isinstance(end, int) and isinstance(label, str) and label):
        raise TextError(f"{place}: {key} holds {span!r:.80}, which has no start, end and label")
    return CharacterSpan(start, end, label, text if isinstance(text, str) else None)
