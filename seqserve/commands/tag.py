"""Find the entities in each line of a file. The output is JSON lines, each a result as of /v1/tag, or CoNLL.

An empty line is a text without entities.
"""

import argparse
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from seqserve.commands.lines import add_file_flags, answer_lines, json_error
from seqserve.commands.model_flags import add_model_flags, list_of, open_chosen
from seqserve.errors import InvalidRequestError, UsageError
from seqserve.tagger.decoding import BEST_PATH, EXPECTED_F1
from seqserve.tagger.document import Document, document_of_text
from seqserve.tagger.model import TaggedSentence
from seqserve.tagger.pipeline import decoded, make_options, result_of
from seqserve.tagger.tagger import Tagger
from seqserve.tagger.tags import spans_from_tags, tags_from_spans


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file, the model and the format."""
    add_file_flags(parser, "UTF-8 text, one text per line")
    add_model_flags(parser)
    parser.add_argument(
        "--format",
        choices=("jsonl", "conll"),
        default="jsonl",
        help="JSON lines, or a token TAB its BIO tag a line (default jsonl)",
    )
    parser.add_argument(
        "--include",
        action="extend",
        type=list_of("tokens", "tag_probs"),
        default=[],
        metavar="PART[,PART]",
        help="tokens adds every token to each JSON line, tag_probs also the distribution over tags; may be repeated",
    )
    parser.add_argument(
        "--labels",
        action="extend",
        type=list_of(),
        metavar="LABEL[,LABEL]",
        help="keep only entities of these labels, such as PER; may be repeated",
    )
    parser.add_argument(
        "--min-score", type=_probability, default=0.0, metavar="P", help="keep only entities with at least this score"
    )
    parser.add_argument(
        "--decode",
        choices=(BEST_PATH, EXPECTED_F1),
        default=BEST_PATH,
        help="entities of the most probable tags, or every span probable enough for the largest expected F1 "
        "(default best_path)",
    )


def run(given: argparse.Namespace) -> int:
    """Tag; raises BundleError, InputError and UsageError."""
    if given.format == "conll" and (given.include or given.labels or given.min_score):
        raise UsageError("--include, --labels and --min-score are for JSON lines, not for --format conll.")
    bundle = open_chosen(given, Tagger).bundle
    longest = bundle.manifest.limits.max_sentence_tokens
    try:
        options = make_options(
            bundle, labels=given.labels, min_score=given.min_score, include=given.include, decode=given.decode
        )
    except InvalidRequestError as error:
        pointer, detail = error.fields[0]
        raise UsageError(f"--{pointer.split('/')[1]}: {detail}") from error

    def answer(documents: Sequence[Document]) -> Iterator[bytes]:
        tagged = iter(bundle.tag([row for document in documents for row in document.rows]))
        for document in documents:
            rows = list(islice(tagged, len(document.rows)))
            if given.format == "conll":
                yield _conll(document, document.sentences_of(decoded(rows, bundle, options), bundle.tags))
            else:
                yield msgspec.json.encode(result_of(document, rows, bundle, options)) + b"\n"

    return answer_lines(
        given,
        lambda text: document_of_text(text, max_sentence_tokens=longest),
        answer,
        blank=None,
        failed=lambda reason: json_error(reason) + b"\n" * (given.format == "conll"),
    )


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must lie in 0 to 1, not {text!r}")
    return value


def _conll(document: Document, sentences: Sequence[TaggedSentence]) -> bytes:
    """Return a token and its BIO tag a line, TAB between them, and an empty line at the end."""
    tags = [tag for item in sentences for tag in tags_from_spans(spans_from_tags(item.tags), len(item.tags), "BIO")]
    rows = [f"{token.text}\t{tag}\n" for token, tag in zip(document.tokens, tags, strict=True)]
    return "".join([*rows, "\n"]).encode()
