"""A loaded classifier: texts in, the probability of every label out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqserve.batches import plan_rows
from seqserve.classifier.manifest import ClassifierManifest
from seqserve.encoding import TokenBatch, check_batch, encode_sentences
from seqserve.graph import Graph
from seqserve.text.tokenizers import TOKENIZERS
from seqserve.vocabulary.words import CharacterVocabulary, WordVocabulary


@dataclass(frozen=True, slots=True)
class ClassifierBundle:
    """A verified classifier, ready to run from any thread; `reproducible`: a row alone equals the row in a batch."""

    manifest: ClassifierManifest
    words: WordVocabulary
    characters: CharacterVocabulary
    graph: Graph
    reproducible: bool = True

    @property
    def labels(self) -> list[str]:
        """The labels in the order of the graph's last axis."""
        return self.manifest.architecture.labels

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of a text, at most one more than `limits.max_tokens` of them."""
        tokens = TOKENIZERS[self.manifest.tokenization.name](text, limit=self.manifest.limits.max_tokens)
        return [token.text for token in tokens]

    def encode(self, texts: Sequence[Sequence[str]]) -> TokenBatch:
        """Look up and pad the tokens of texts of at least one token each."""
        limit = self.manifest.limits.max_word_chars
        return encode_sentences(texts, self.words, self.characters, max_word_chars=limit)

    def run(self, batch: TokenBatch) -> list[NDArray[np.float32]]:
        """Run the graph on one batch as it is: for each row P(label | text), (K,).

        Raises ValueError on arrays that the graph must not see.
        """
        check_batch(
            batch,
            num_words=len(self.words),
            num_characters=len(self.characters),
            max_word_chars=self.manifest.limits.max_word_chars,
        )
        return [row.copy() for row in self.graph.run(batch.feeds())["probs"]]

    def classify(self, texts: Sequence[Sequence[str]]) -> list[NDArray[np.float32]]:
        """Return P(label | text), (K,), for the tokens of any number of texts, in batches of like length.

        Raises ValueError when a text has no token or more than `limits.max_tokens`.
        """
        longest = self.manifest.limits.max_tokens
        for number, tokens in enumerate(texts):
            if not 1 <= len(tokens) <= longest:
                raise ValueError(f"text {number} has {len(tokens)} tokens; a text has 1 to {longest}")
        results: list[NDArray[np.float32]] = [np.zeros(0, np.float32)] * len(texts)
        for rows in plan_rows([len(tokens) for tokens in texts]):
            for row, probs in zip(rows, self.run(self.encode([texts[row] for row in rows])), strict=True):
                results[row] = probs
        return results
