"""The vocabularies of a bundle, as its manifest describes them."""

from pathlib import Path

from seqserve.entries import Tokenization, VocabularyEntry
from seqserve.errors import BundleError
from seqserve.vocabulary.tokens import TokenVocabulary


def read_tokens(root: Path, entry: VocabularyEntry, tokenization: Tokenization) -> TokenVocabulary:
    """Read a vocabulary of tokens; raises BundleError, also when it has another size than its entry."""
    vocabulary = TokenVocabulary.read(root / entry.file, tokenization.lookup)
    check_size(root, entry, len(vocabulary))
    return vocabulary


def check_size(root: Path, entry: VocabularyEntry, size: int) -> None:
    """Raise BundleError unless a vocabulary's file holds as many ids as the manifest says."""
    if size != entry.size:
        raise BundleError(f"{root / entry.file}: has {size} ids instead of the {entry.size} in the manifest")
