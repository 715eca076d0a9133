"""The vocabularies of a bundle that reads words and their characters."""

from collections.abc import Sequence
from pathlib import Path

from seqserve.entries import VocabularyEntry
from seqserve.errors import BundleError
from seqserve.vocabulary.words import CharacterVocabulary, WordVocabulary


def read_word_vocabularies(
    root: Path, words: VocabularyEntry, characters: VocabularyEntry, *, lookup: Sequence[str]
) -> tuple[WordVocabulary, CharacterVocabulary]:
    """Read both files of a bundle's folder; raises BundleError, also when one has another size than its entry."""
    found = WordVocabulary.read(root / words.file, lookup)
    check_size(root, words, len(found))
    spelled = CharacterVocabulary.read(root / characters.file)
    check_size(root, characters, len(spelled))
    return found, spelled


def check_size(root: Path, entry: VocabularyEntry, size: int) -> None:
    """Raise BundleError unless a vocabulary's file holds as many ids as the manifest says."""
    if size != entry.size:
        raise BundleError(f"{root / entry.file}: has {size} ids instead of the {entry.size} in the manifest")
