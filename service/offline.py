"""Without a server: tag a file of sentences, check a bundle."""

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from bundle.errors import BundleError, SeqserveError
from bundle.load import find_bundles, load_bundle
from bundle.manifest import MANIFEST_FILE, read_manifest
from bundle.tagger import TaggedSentence, TaggerBundle
from bundle.tags import spans_from_tags, tags_from_spans
from service.engine.registry import choose_provider
from service.settings import PROVIDERS, variable_of
from service.tasks.tag import Document, TagOptions, document_of_text, result_of

_LINES = 256
"""Lines that are tagged together: enough to find rows of like length, few enough to stream."""


class InputError(SeqserveError):
    """A file cannot be read or written; the message names it and the line."""


def check(arguments: Sequence[str]) -> int:
    """Verify a bundle: files, checksums, graph, recorded answers. Raises BundleError."""
    parser = argparse.ArgumentParser(prog="python -m service check", description=check.__doc__)
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument("--provider", choices=PROVIDERS[:2], default="cpu", help="where to run it (default cpu)")
    given = parser.parse_args(arguments)
    bundle = load_bundle(given.bundle, provider=given.provider)
    rows = "rows stand alone" if bundle.reproducible else "rows change with their batch"
    print(f"{bundle.manifest.name} {bundle.manifest.version} is sound: golden answers hold, {rows}.")
    return 0


def tag(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Find names in a file, one sentence per line in; JSON lines (an answer of /v1/tag each) or CoNLL out.

    Raises BundleError and InputError.
    """
    given = _parser(environment).parse_args(arguments)
    options = TagOptions(tokens="tokens" in given.include, tag_probs="tag_probs" in given.include)
    bundle = _open(given.models, given.model, given.provider)
    render = _conll if given.format == "conll" else _jsonl
    with contextlib.ExitStack() as stack:
        source = _opened(given.file, "rb", sys.stdin.buffer, stack)
        target = _opened(given.output, "wb", sys.stdout.buffer, stack)
        for documents in _batches(_lines(source, given.file), bundle):
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


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m service tag", description=(tag.__doc__ or "").split("\n")[0], allow_abbrev=False
    )
    parser.add_argument("file", help='UTF-8 text, one sentence per line; "-" reads standard input')
    parser.add_argument("--format", choices=("jsonl", "conll"), default="jsonl", help="(default jsonl)")
    parser.add_argument("--output", default="-", metavar="FILE", help="(default standard output)")
    parser.add_argument("--model", metavar="NAME", help="name of a tagger (default the first by name)")
    parser.add_argument(
        "--include", nargs="+", choices=("tokens", "tag_probs"), default=[], help="more in each JSON line"
    )
    models = environment.get(variable_of("models")) or "models"
    parser.add_argument("--models", type=Path, default=Path(models), metavar="FOLDER", help=f"(default {models})")
    provider = environment.get(variable_of("provider")) or "cpu"
    parser.add_argument("--provider", choices=PROVIDERS, default=provider, help=f"(default {provider})")
    return parser


def _open(models: Path, name: str | None, provider: str) -> TaggerBundle:
    folders = [models] if (models / MANIFEST_FILE).is_file() else find_bundles(models)
    by_name = {manifest.name: folder for folder in folders if (manifest := read_manifest(folder)).task == "tag"}
    if not by_name:
        raise BundleError(f"{models}: holds no tagger")
    if name is not None and name not in by_name:
        raise BundleError(f"{models}: holds no tagger {name!r}, only {', '.join(sorted(by_name))}")
    folder = by_name[name or min(by_name)]
    if choose_provider(provider) != "auto":
        return load_bundle(folder, provider=choose_provider(provider))
    try:
        return load_bundle(folder, provider="cuda")
    except BundleError:
        return load_bundle(folder)


def _opened(name: str, mode: str, standard: BinaryIO, stack: contextlib.ExitStack) -> BinaryIO:
    if name == "-":
        return standard
    try:
        return stack.enter_context(open(name, mode))  # type: ignore[return-value]
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}.") from error


def _lines(source: BinaryIO, name: str) -> Iterator[str]:
    """Yield lines without their ends, showing progress in bytes when standard error is a terminal."""
    with _progress(source) as advance:
        for number, line in enumerate(source, start=1):
            advance(len(line))
            try:
                yield line.decode("utf-8").removesuffix("\n").removesuffix("\r")
            except UnicodeDecodeError as error:
                raise InputError(f"{name}, line {number}: byte {error.start + 1} is not UTF-8.") from error


@contextlib.contextmanager
def _progress(source: BinaryIO) -> Iterator[Callable[[int], object]]:
    if not sys.stderr.isatty():
        yield lambda num_bytes: None
        return
    from tqdm import tqdm  # late: most runs have no terminal

    size = Path(source.name).stat().st_size if isinstance(source.name, str) and source.name != "<stdin>" else None
    with tqdm(total=size, unit="B", unit_scale=True, unit_divisor=1024, desc="tag") as bar:
        yield bar.update


def _batches(lines: Iterable[str], bundle: TaggerBundle) -> Iterator[list[Document]]:
    longest = bundle.manifest.limits.max_sentence_tokens
    rest = iter(lines)
    while chunk := list(islice(rest, _LINES)):
        yield [document_of_text(line, max_sentence_tokens=longest) for line in chunk]


def _jsonl(document: Document, sentences: Sequence[TaggedSentence], bundle: TaggerBundle, options: TagOptions) -> bytes:
    return msgspec.json.encode(result_of(document, sentences, bundle, options)) + b"\n"


def _conll(document: Document, sentences: Sequence[TaggedSentence], bundle: TaggerBundle, options: TagOptions) -> bytes:
    """Token and BIO tag, TAB between them; an empty line after each line of the input."""
    tags = [tag for item in sentences for tag in tags_from_spans(spans_from_tags(item.tags), len(item.tags), "BIO")]
    rows = [f"{token.text}\t{tag}\n" for token, tag in zip(document.tokens, tags, strict=True)]
    return "".join([*rows, "\n"]).encode()
