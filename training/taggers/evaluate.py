"""`seqserve train evaluate` on a tagger: span scores, as conlleval prints them."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace

from seqserve.errors import SeqserveError, UsageError
from seqserve.tagger.document import document_of_tokens
from seqserve.tagger.model import TaggedSentence, TaggerBundle
from seqserve.tagger.pipeline import TagOptions, results_of
from seqserve.tagger.tags import Span, tags_from_spans
from seqserve.text.forms import is_readable
from seqserve.training.reading.conll import Sentence, map_labels, to_scheme
from seqserve.training.reading.examples import ReadOptions, read_examples
from seqserve.training.reading.served_tokens import on_served_tokens
from seqserve.training.taggers.metrics import Counts, SpanScores, report, score_tags

KIND = "tagger"
ARGUMENTS = ("token_column", "tag_column", "map", "lower", "tokens")


def evaluate_bundle(bundle: TaggerBundle, sentences: Sequence[Sentence]) -> SpanScores:
    """Return scores of the bundle's entities on given tokens, against tags in any scheme."""
    longest = bundle.manifest.limits.max_sentence_tokens
    documents = [document_of_tokens(sentence.tokens, max_sentence_tokens=longest) for sentence in sentences]
    results = results_of(documents, bundle.tag([row for each in documents for row in each.rows]), bundle, TagOptions())
    found = [[Span(each.label, each.token_start, each.token_end) for each in result.entities] for result in results]
    found_tags = [tags_from_spans(spans, len(each.tokens), "BIO") for spans, each in zip(found, sentences, strict=True)]
    return score_tags([sentence.tags for sentence in to_scheme(sentences, "BIO")], found_tags)


def score_answers(answers: Sequence[TaggedSentence], sentences: Sequence[Sentence]) -> SpanScores:
    """Return scores of one answer for each sentence.

    Both sides are written in BIO first, so that the accuracy is that of BIO tags; the span scores do not depend on it.
    """
    found = [
        Sentence(sentence.tokens, answer.tags) for sentence, answer in zip(sentences, answers, strict=True)
    ]  # a sentence checks that its tokens and tags are of equal number
    gold_tags = [sentence.tags for sentence in to_scheme(sentences, "BIO")]
    return score_tags(gold_tags, [sentence.tags for sentence in to_scheme(found, "BIO")])


def lower_cased(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Return the same sentences with their tokens in lower case."""
    return [replace(sentence, tokens=tuple(map(str.lower, sentence.tokens))) for sentence in sentences]


def read_mapping(text: str) -> dict[str, str]:
    """Read "person=PER,location=LOC" as a dictionary; raises UsageError."""
    mapping = {}
    for part in text.split(","):
        source, separator, target = part.strip().partition("=")
        if not (source and separator and target):
            raise UsageError(f"--map: {part!r} is not of the form LABEL=LABEL")
        mapping[source] = target
    return mapping


def as_dict(scores: SpanScores) -> dict[str, object]:
    """Return scores for a JSON file; rates are fractions in 0..1."""
    return {
        **_numbers(scores.overall),
        "num_tokens": scores.num_tokens,
        "accuracy": scores.accuracy,
        "labels": {label: _numbers(counts) for label, counts in scores.labels.items()},
    }


def _numbers(counts: Counts) -> dict[str, float]:
    return {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1, **asdict(counts)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that only a tagger takes."""
    group = parser.add_argument_group("taggers")
    group.add_argument("--token-column", type=int, default=0, metavar="N", help="column of the tokens (0)")
    group.add_argument("--tag-column", type=int, default=-1, metavar="N", help="column of the tags (-1, the last)")
    group.add_argument(
        "--tokens",
        choices=("served", "own"),
        default="served",
        help="tokens of the service, with the spans carried over, or the file's own (default served)",
    )
    group.add_argument("--lower", action="store_true", help="lower-case the tokens first")


def run(bundle: TaggerBundle, arguments: argparse.Namespace) -> tuple[dict[str, object], str]:
    """Return the measures for JSON, and a report for people; raises SeqserveError when the file cannot be used."""
    if arguments.file is None:
        raise UsageError("a tagger is evaluated on FILE, of sentences with tags or of texts with spans")
    options = ReadOptions(token_column=arguments.token_column, tag_column=arguments.tag_column)
    sentences = read_examples(arguments.file, options).sentences
    if not sentences:
        raise SeqserveError(f"{arguments.file}: there are no sentences in it")
    if arguments.map is not None:
        sentences = map_labels(sentences, read_mapping(arguments.map))
    if arguments.tokens == "served":
        sentences = [on_served_tokens(sentence) for sentence in sentences if is_readable(sentence.tokens)]
    if arguments.lower:
        sentences = lower_cased(sentences)
    scores = evaluate_bundle(bundle, sentences)
    unknown = sorted(
        label
        for label, counts in scores.labels.items()
        if counts.num_gold and label not in bundle.manifest.architecture.labels
    )
    if unknown:
        print(f"{arguments.file}: the bundle has no label {', '.join(unknown)}; see --map", file=sys.stderr)
    return as_dict(scores), report(scores).removesuffix("\n")
