"""Find the names in each line of a file. The output is JSON lines, each a result as of /v1/tag, or CoNLL.

An empty line is a text without names.
"""

import argparse
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from seqserve.commands.lines import add_file_flags, answer_lines, json_error
from seqserve.commands.model_flags import add_model_flags, open_chosen
from seqserve.tagger.model import TaggedSentence
from seqserve.tagger.pipeline import Document, TagOptions, document_of_text, result_of
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
        nargs="+",
        choices=("tokens", "tag_probs"),
        default=[],
        help="add every token to each JSON line, tag_probs also the distribution over tags",
    )


def run(given: argparse.Namespace) -> int:
    """Tag; raises BundleError and InputError."""
    bundle = open_chosen(given, Tagger).bundle
    longest = bundle.manifest.limits.max_sentence_tokens
    options = TagOptions(tokens="tokens" in given.include, tag_probs="tag_probs" in given.include)

    def answer(documents: Sequence[Document]) -> Iterator[bytes]:
        tagged = iter(bundle.tag([row for document in documents for row in document.rows()]))
        for document in documents:
            sentences = list(islice(tagged, len(document.sentences)))
            if given.format == "conll":
                yield _conll(document, sentences)
            else:
                yield msgspec.json.encode(result_of(document, sentences, bundle, options)) + b"\n"

    return answer_lines(
        given,
        lambda text: document_of_text(text, max_sentence_tokens=longest),
        answer,
        blank=None,
        failed=lambda reason: json_error(reason) + b"\n" * (given.format == "conll"),
    )


def _conll(document: Document, sentences: Sequence[TaggedSentence]) -> bytes:
    """Return a token and its BIO tag a line, TAB between them, and an empty line at the end."""
    tags = [tag for item in sentences for tag in tags_from_spans(spans_from_tags(item.tags), len(item.tags), "BIO")]
    rows = [f"{token.text}\t{tag}\n" for token, tag in zip(document.tokens, tags, strict=True)]
    return "".join([*rows, "\n"]).encode()
