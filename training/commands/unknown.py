"""Estimate on held-out text how many words share the probability of <UNK>, and write it into a bundle.

A word that the model does not know then has its share of that probability when texts of clients are scored. Published
measures (`seqserve train evaluate`) keep <UNK> as one word.
"""

import argparse
from pathlib import Path

import msgspec

from seqserve.errors import UsageError
from seqserve.language.manifest import TextReading
from seqserve.language.model import LanguageModelBundle
from seqserve.loading import load_bundle, locate
from seqserve.manifest import write_manifest
from seqserve.training.config import ConfigError
from seqserve.training.language.evaluate import add_text_arguments, text_options
from seqserve.training.language.unknown_words import client_steps, count_unknown
from seqserve.training.reading.text import read_sequences


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `seqserve train unknown`."""
    parser.add_argument("bundle", metavar="BUNDLE", help="folder of a language model of words")
    parser.add_argument("file", type=Path, metavar="FILE", help="held-out text; plain, .gz or .xz")
    add_text_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the counts and write the manifest; raises UsageError, and SeqserveError when a file cannot be used."""
    folder = locate(arguments.bundle)
    bundle = load_bundle(folder, LanguageModelBundle)
    manifest = bundle.manifest
    if manifest.architecture.level != "word":
        raise UsageError(f"{arguments.bundle}: is a model of characters, whose <UNK> is no class of words")
    try:
        file, options = text_options(bundle, arguments.file, arguments)
    except ConfigError as error:  # of the options of a file, which are flags here
        raise UsageError(str(error)) from error
    steps = client_steps(manifest.tokenization.lookup)
    found = count_unknown(bundle.vocabulary, steps, read_sequences(arguments.file, file, options))
    print(found.report())
    texts = TextReading(lookup=steps, num_unknown_types=found.num_types)
    write_manifest(folder, msgspec.structs.replace(manifest, texts=texts))
    return 0
