"""Print the text that a language model is trained on.

A word model's sequences are printed one a line, with single spaces between tokens; characters as they are.
"""

import argparse
import sys
from pathlib import Path

from seqserve.errors import SeqserveError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the configuration and the part of its data."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="TOML file of a language model")
    parser.add_argument("--part", choices=("train", "valid"), default="train", help="part of the data (default: train)")


def run(given: argparse.Namespace) -> int:
    """Print; raises SeqserveError for the configuration of another kind of model."""
    from seqserve.training.language.config import LanguageConfig
    from seqserve.training.language.setup import sequences_of
    from seqserve.training.load_config import load_config

    config = load_config(given.config)
    if not isinstance(config, LanguageConfig):
        raise SeqserveError(f"{given.config}: is not the configuration of a language model")
    separator, end = (" ", "\n") if config.text.level == "word" else ("", "\n" if config.text.ends_sentences else "")
    for tokens in sequences_of(getattr(config.data, given.part), config.text):
        sys.stdout.write(separator.join(tokens) + end)
    return 0
