"""What raw text costs: character-span F1 over HTTP against the same sentences with given tokens.

    python -m benchmarks.raw_text models/ner-en/2 [BUNDLE …] [--sets uner_ewt wnut17 btc wikigold] [--data DIR]

Both go through a server that is started here. Given tokens are those of SET/SPLIT.conll. Raw text is SPLIT.raw.jsonl
for UNER EWT; the other sets have none, and their tokens are put together as they would be written. A span is right
when label, start and end are; on given tokens, borders of tokens are borders of characters, so both numbers count the
same thing. Of several bundles (seeds) the means are shown.
"""

import argparse
import json
import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import run
from benchmarks.ner_quality import SETS, TITLES, read_set
from benchmarks.running_service import RunningService, running_service
from seqserve.errors import SeqserveError
from seqserve.tagger.tags import Span, spans_from_tags
from seqserve.text.detokenization import Detokenizer
from seqserve.training.corpora import corpus_file
from seqserve.training.reading.conll import Sentence
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


def written(sentence: Sentence) -> tuple[str, list[Span]]:
    """Put tokens together as English is written; the same spans with offsets in code points."""
    detokenizer = Detokenizer("seqserve-en-1")
    text, starts, ends = "", [], []
    for token in sentence.tokens:
        text += detokenizer.push(token)
        starts.append(len(text) - len(token))
        ends.append(len(text))
    spans = [Span(label, starts[start], ends[end - 1]) for label, start, end in spans_from_tags(sentence.tags)]
    return text, spans


def read_texts(corpus: str, split: str) -> tuple[list[Sentence], list[str], list[list[Span]]]:
    """Sentences of a set, the same as raw text, and the spans in that; raises SeqserveError where they differ."""
    sentences = read_set(corpus, split)
    if corpus == "uner_ewt":
        texts, spans = read_raw(corpus_file(f"uner_ewt/{split}.raw.jsonl"))
    else:
        pairs = [written(sentence) for sentence in sentences]
        texts, spans = [text for text, _ in pairs], [found for _, found in pairs]
    if sum(len(spans_from_tags(sentence.tags)) for sentence in sentences) != sum(map(len, spans)):
        raise SeqserveError(f"{corpus}/{split}.conll and {corpus}/{split}.raw.jsonl hold different numbers of spans")
    return sentences, texts, spans


def measure_given(service: RunningService, sentences: Sequence[Sentence]) -> Counts:
    """Scores on given tokens."""
    tokens = [list(sentence.tokens) for sentence in sentences]
    found = tag_over_http(service, "tokens", tokens, borders=("token_start", "token_end"))
    return score_spans([spans_from_tags(sentence.tags) for sentence in sentences], found).overall


def measure(service: RunningService, corpus: str, split: str) -> tuple[Counts, Counts]:
    """Scores of one set, on given tokens and on raw text."""
    sentences, texts, spans = read_texts(corpus, split)
    found = tag_over_http(service, "text", texts, borders=("start", "end"))
    return measure_given(service, sentences), score_spans(spans, found).overall


def measure_bundles(
    bundles: Sequence[Path], corpora: Sequence[str], split: str
) -> dict[str, list[tuple[Counts, Counts]]]:
    """Scores of every bundle on every set."""
    found: dict[str, list[tuple[Counts, Counts]]] = {corpus: [] for corpus in corpora}
    for bundle in bundles:
        with running_service(bundle) as service:
            for corpus in corpora:
                found[corpus].append(measure(service, corpus, split))
    return found


def table(title: str, pairs: Sequence[tuple[Counts, Counts]]) -> str:
    """Markdown: means over bundles of both scores, and the loss."""
    lines = [f"| {title} | F1 | precision | recall |", "|---|---:|---:|---:|"]
    for name, counts in zip(("given tokens", "raw text"), zip(*pairs, strict=True), strict=True):
        rates = zip(*((each.f1, each.precision, each.recall) for each in counts), strict=True)
        lines.append(f"| {name} | " + " | ".join(f"{100 * statistics.mean(rate):.2f}" for rate in rates) + " |")
    return "\n".join([*lines, f"| loss | {100 * _rates(pairs)['loss']:.2f} | | |"])


def _rates(pairs: Sequence[tuple[Counts, Counts]]) -> dict[str, float]:
    given, raw = (statistics.mean(each.f1 for each in counts) for counts in zip(*pairs, strict=True))
    return {"given_tokens_f1": given, "raw_text_f1": raw, "loss": given - raw}


def main(words: Sequence[str] | None = None) -> int:
    """Print both scores and the loss as Markdown, a table for each set."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.raw_text", description=__doc__.split("\n")[0])
    parser.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE", help="folder of a tagger bundle")
    parser.add_argument("--data", metavar="DIR", help="data folder (SEQSERVE_DATA, or data)")
    parser.add_argument("--split", default="test", choices=["test", "dev"])
    parser.add_argument("--sets", nargs="+", default=["uner_ewt"], choices=list(SETS), metavar="SET")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rates of each set here, as fractions")
    arguments = parser.parse_args(words)
    if arguments.data is not None:
        os.environ["SEQSERVE_DATA"] = arguments.data
    found = measure_bundles(arguments.bundles, arguments.sets, arguments.split)
    tables = [table(f"{TITLES[corpus]} {arguments.split} over HTTP", pairs) for corpus, pairs in found.items()]
    print("\n\n".join(tables))
    if arguments.json is not None:
        rates = {corpus: _rates(pairs) for corpus, pairs in found.items()}
        arguments.json.write_text(json.dumps(rates) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    run(main)
