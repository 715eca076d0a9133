"""`python -m service tag FILE`."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from seqserve.service.offline.common import batches_of, make_parser, numbered_lines, open_offline, opened_files
from seqserve.tagger.model import TaggedSentence, TaggerBundle
from seqserve.tagger.pipeline import Document, TagOptions, document_of_text, result_of
from seqserve.tagger.tags import spans_from_tags, tags_from_spans


def tag(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Find names in a file, one sentence per line in; JSON lines (an answer of /v1/tag each) or CoNLL out.

    Raises BundleError and InputError.
    """
    parser = make_parser("tag", tag.__doc__, "UTF-8 text, one sentence per line", environment)
    parser.add_argument("--format", choices=("jsonl", "conll"), default="jsonl", help="(default jsonl)")
    parser.add_argument(
        "--include", nargs="+", choices=("tokens", "tag_probs"), default=[], help="more in each JSON line"
    )
    given = parser.parse_args(arguments)
    options = TagOptions(tokens="tokens" in given.include, tag_probs="tag_probs" in given.include)
    bundle = open_offline(given, "tag").bundle
    longest = bundle.manifest.limits.max_sentence_tokens
    render = _conll if given.format == "conll" else _jsonl
    with opened_files(given) as (source, target):
        for lines in batches_of(line for _, line in numbered_lines(source, given.file, command="tag")):
            documents = [document_of_text(line, max_sentence_tokens=longest) for line in lines]
            for document, sentences in tag_together(bundle, documents):
                target.write(render(document, sentences, bundle, options))
            target.flush()
    return 0


def tag_together(
    bundle: TaggerBundle, documents: Sequence[Document]
) -> Iterator[tuple[Document, list[TaggedSentence]]]:
    """Tag several documents at once; yields each with its tagged sentences, in order."""
    tagged = iter(bundle.tag([row for document in documents for row in document.rows()]))
    for document in documents:
        yield document, list(islice(tagged, len(document.sentences)))


def _jsonl(document: Document, sentences: Sequence[TaggedSentence], bundle: TaggerBundle, options: TagOptions) -> bytes:
    return msgspec.json.encode(result_of(document, sentences, bundle, options)) + b"\n"


def _conll(document: Document, sentences: Sequence[TaggedSentence], bundle: TaggerBundle, options: TagOptions) -> bytes:
    """Token and BIO tag, TAB between them; an empty line after each line of the input."""
    tags = [tag for item in sentences for tag in tags_from_spans(spans_from_tags(item.tags), len(item.tags), "BIO")]
    rows = [f"{token.text}\t{tag}\n" for token, tag in zip(document.tokens, tags, strict=True)]
    return "".join([*rows, "\n"]).encode()
