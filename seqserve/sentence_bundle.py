"""What taggers and classifiers have in common: their graphs read words and their characters."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from seqserve.encoding import TokenBatch, check_batch, encode_sentences
from seqserve.graph import Graph
from seqserve.vocabulary.files import check_size
from seqserve.vocabulary.words import CharacterVocabulary, WordVocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceBundle:
    """A verified model of sentences, safe from any thread; `reproducible`: a row alone equals the row in a batch."""

    manifest: Any
    words: WordVocabulary
    characters: CharacterVocabulary
    graph: Graph
    reproducible: bool = True

    def encode(self, sentences: Sequence[Sequence[str]]) -> TokenBatch:
        """Look up and pad sentences of at least one token each."""
        limit = self.manifest.limits.max_word_chars
        return encode_sentences(sentences, self.words, self.characters, max_word_chars=limit)

    def run_graph(self, batch: TokenBatch) -> dict[str, NDArray[Any]]:
        """Run the graph on one batch as it is; raises ValueError on arrays that it must not see."""
        check_batch(
            batch,
            num_words=len(self.words),
            num_characters=len(self.characters),
            max_word_chars=self.manifest.limits.max_word_chars,
        )
        return self.graph.run(batch.feeds())


def read_values(root: Path, manifest: Any) -> dict[str, Any]:
    """Return the fields of a SentenceBundle but its graph; raises BundleError when a vocabulary is not as described."""
    entries = manifest.vocabularies
    words = WordVocabulary.read(root / entries.words.file, manifest.tokenization.lookup)
    check_size(root, entries.words, len(words))
    characters = CharacterVocabulary.read(root / entries.characters.file)
    check_size(root, entries.characters, len(characters))
    return {"manifest": manifest, "words": words, "characters": characters, "reproducible": manifest.reproducible}
