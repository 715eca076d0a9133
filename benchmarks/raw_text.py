"""What raw text costs: character-span F1 over HTTP against the same sentences with given tokens.

    python -m benchmarks.raw_text models/ner-en/1 [--data DIR] [--split test]

Both go through a server that is started here. Given tokens are those of uner_ewt/SPLIT.conll; raw text is
uner_ewt/SPLIT.raw.jsonl. A span is right when label, start and end are; on given tokens, borders of tokens are
borders of characters, so both numbers count the same thing.
"""

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import run
from benchmarks.running_service import RunningService, running_service
from seqserve.errors import SeqserveError
from seqserve.tagger.tags import Span, spans_from_tags
from seqserve.training.corpora import corpus_file
from seqserve.training.reading.conll import read_conll
from seqserve.training.taggers.metrics import Counts, score_spans

_TEXTS_PER_REQUEST = 32


def read_raw(path: Path) -> tuple[list[str], list[list[Span]]]:
    """Texts and their spans, offsets in code points, from JSON lines {"text", "spans": [{"label","start","end"}]}."""
    texts, spans = [], []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line:
            row = json.loads(line)
            texts.append(row["text"])
            spans.append([Span(span["label"], span["start"], span["end"]) for span in row["spans"]])
    return texts, spans


def tag_over_http(
    service: RunningService, field: str, items: Sequence[Any], *, borders: tuple[str, str]
) -> list[list[Span]]:
    """Spans that POST /v1/tag finds in texts or token lists; borders are the answer's fields for start and end."""
    found = []
    for batch in _batches(items):
        results: list[Mapping[str, Any]] = service.post("/v1/tag", {field: batch})["results"]
        for result in results:
            found.append([Span(each["label"], each[borders[0]], each[borders[1]]) for each in result["entities"]])
    return found


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _TEXTS_PER_REQUEST):
        yield list(items[start : start + _TEXTS_PER_REQUEST])


def measure(bundle: Path, split: str) -> tuple[Counts, Counts]:
    """Scores on given tokens and on raw text."""
    sentences = read_conll(corpus_file(f"uner_ewt/{split}.conll"))
    texts, gold_in_text = read_raw(corpus_file(f"uner_ewt/{split}.raw.jsonl"))
    gold_in_tokens = [spans_from_tags(sentence.tags) for sentence in sentences]
    if sum(map(len, gold_in_tokens)) != sum(map(len, gold_in_text)):
        raise SeqserveError(f"uner_ewt/{split}.conll and uner_ewt/{split}.raw.jsonl hold different numbers of spans")
    with running_service(bundle) as service:
        tokens = [list(sentence.tokens) for sentence in sentences]
        in_tokens = tag_over_http(service, "tokens", tokens, borders=("token_start", "token_end"))
        in_text = tag_over_http(service, "text", texts, borders=("start", "end"))
    return score_spans(gold_in_tokens, in_tokens).overall, score_spans(gold_in_text, in_text).overall


def main(words: Sequence[str] | None = None) -> int:
    """Print both scores and the loss as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.raw_text", description=__doc__.split("\n")[0])
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder of a tagger bundle")
    parser.add_argument("--data", metavar="DIR", help="data folder (SEQSERVE_DATA, or data)")
    parser.add_argument("--split", default="test", choices=["test", "dev"])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rates here, as fractions")
    arguments = parser.parse_args(words)
    if arguments.data is not None:
        os.environ["SEQSERVE_DATA"] = arguments.data
    given, raw = measure(arguments.bundle, arguments.split)
    print(f"| UNER EWT {arguments.split} over HTTP | F1 | precision | recall |\n|---|---:|---:|---:|")
    for name, counts in (("given tokens", given), ("raw text", raw)):
        print(f"| {name} | {100 * counts.f1:.2f} | {100 * counts.precision:.2f} | {100 * counts.recall:.2f} |")
    print(f"| loss | {100 * (given.f1 - raw.f1):.2f} | | |")
    if arguments.json is not None:
        rates = {"given_tokens_f1": given.f1, "raw_text_f1": raw.f1, "loss": given.f1 - raw.f1}
        arguments.json.write_text(json.dumps(rates) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    run(main)
