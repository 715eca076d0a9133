"""A loaded classifier: texts in, the probability of every label out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqserve.batches import run_planned
from seqserve.classifier.manifest import ClassifierManifest
from seqserve.encoding import TokenBatch
from seqserve.sentence_bundle import SentenceBundle
from seqserve.text.tokenizers import TOKENIZERS


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierBundle(SentenceBundle):
    """A verified classifier."""

    manifest: ClassifierManifest

    @property
    def labels(self) -> list[str]:
        """The labels in the order of the graph's last axis."""
        return self.manifest.architecture.labels

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of a text, at most one more than `limits.max_tokens` of them."""
        tokens = TOKENIZERS[self.manifest.tokenization.name](text, limit=self.manifest.limits.max_tokens)
        return [token.text for token in tokens]

    def run(self, batch: TokenBatch) -> list[NDArray[np.float32]]:
        """Run the graph on one batch as it is: for each row P(label | text), (K,).

        Raises ValueError on arrays that the graph must not see.
        """
        return [row.copy() for row in self.run_graph(batch)["probs"]]

    def classify(self, texts: Sequence[Sequence[str]]) -> list[NDArray[np.float32]]:
        """Return P(label | text), (K,), for the tokens of any number of texts, in batches of like length.

        Raises ValueError when a text has no token or more than `limits.max_tokens`.
        """
        longest = self.manifest.limits.max_tokens
        for number, tokens in enumerate(texts):
            if not 1 <= len(tokens) <= longest:
                raise ValueError(f"text {number} has {len(tokens)} tokens; a text has 1 to {longest}")
        found = run_planned(lambda rows: self.run(self.encode(rows)), texts, [len(tokens) for tokens in texts])
        return [found[row] for row in range(len(texts))]
