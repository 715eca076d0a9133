"""An open model: its bundle, and what lets many requests share it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from seqserve.classifier.manifest import ClassifierManifest
from seqserve.classifier.model import ClassifierBundle
from seqserve.language.manifest import LanguageModelManifest
from seqserve.language.model import LanguageModelBundle, ScoredRow, ScoreRow
from seqserve.load import Bundle
from seqserve.service.engine.batching.batcher import Batcher
from seqserve.service.engine.batching.plan import BatchLimits
from seqserve.service.engine.sampling.decoder import Decoder
from seqserve.tagger.manifest import TaggerManifest
from seqserve.tagger.model import TaggedSentence, TaggerBundle
from seqserve.transducer.beam import Hypothesis
from seqserve.transducer.manifest import TransducerManifest
from seqserve.transducer.model import TransducerBundle, TransduceRow

Tokens = Sequence[str]

_SCORE_ROWS = 16
_SCORE_TOKENS = 1024
"""Rows x longest row of a scoring run. Measured: from 4 rows and 256 tokens on no model gains from more."""


class SlotLimits(NamedTuple):
    """How many samples of a model a process draws at a time, and how many more may wait for their turn.

    client_share: what one client may hold of both (see Shares).
    """

    max_slots: int = 64
    max_waiting: int = 256
    client_share: float = 1.0


@dataclass(frozen=True, slots=True)
class TaggerModel:
    """An open tagger: its manifest, where it runs, and what answers."""

    manifest: TaggerManifest
    provider: str
    bundle: TaggerBundle
    batcher: Batcher[Tokens, TaggedSentence]


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """An open language model; the batcher scores, the decoder samples."""

    manifest: LanguageModelManifest
    provider: str
    bundle: LanguageModelBundle
    batcher: Batcher[ScoreRow, ScoredRow]
    decoder: Decoder


@dataclass(frozen=True, slots=True)
class ClassifierModel:
    """An open classifier; a row of the batcher is a whole text, its result P(label | text), (K,)."""

    manifest: ClassifierManifest
    provider: str
    bundle: ClassifierBundle
    batcher: Batcher[Tokens, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class TransducerModel:
    """An open encoder-decoder; a row of the batcher is a whole text, whose run is made in parts."""

    manifest: TransducerManifest
    provider: str
    bundle: TransducerBundle
    batcher: Batcher[TransduceRow, Hypothesis]


Model = TaggerModel | LanguageModel | ClassifierModel | TransducerModel


class QueueLimits(NamedTuple):
    """How much of a model's work may wait in a process, and how long a run may hold up its loop (see Batcher).

    client_share: what one client may hold of the queue (see Shares).
    """

    max_queue_tokens: int
    quick_run_s: float = 0.0
    client_share: float = 1.0


def model_of(bundle: Bundle, provider: str, queue: QueueLimits, slots: SlotLimits | None = None) -> Model:
    """Put a queue before an open bundle."""
    if isinstance(bundle, TaggerBundle):
        batcher: Batcher[Tokens, TaggedSentence] = make_batcher(bundle, queue)
        return TaggerModel(bundle.manifest, provider, bundle, batcher)
    if isinstance(bundle, ClassifierBundle):
        classifier: Batcher[Tokens, NDArray[np.float32]] = make_batcher(bundle, queue)
        return ClassifierModel(bundle.manifest, provider, bundle, classifier)
    if isinstance(bundle, TransducerBundle):
        # Its answers' lengths are not known, and so not how long a run takes.
        transducer = Batcher(bundle.begin, **queue._replace(quick_run_s=0.0)._asdict())
        return TransducerModel(bundle.manifest, provider, bundle, transducer)
    bundle = cast(LanguageModelBundle, bundle)
    scorer = make_score_batcher(bundle, queue)
    decoder = Decoder(bundle, **(slots or SlotLimits())._asdict())
    return LanguageModel(bundle.manifest, provider, bundle, scorer, decoder)


def make_batcher(bundle: TaggerBundle | ClassifierBundle, queue: QueueLimits) -> Batcher[Tokens, Any]:
    """Return a batcher whose rows are the tokens of sentences or texts, which are looked up when they run."""
    return Batcher(lambda rows: bundle.run(bundle.encode(rows)), **queue._asdict())


def make_score_batcher(bundle: LanguageModelBundle, queue: QueueLimits) -> Batcher[ScoreRow, ScoredRow]:
    """Return a batcher whose rows are stretches of token ids."""
    # A run holds a number for every token and type; max_chunk_tokens is made for 16 rows of that.
    num_tokens = min(_SCORE_TOKENS, _SCORE_ROWS * bundle.manifest.limits.max_chunk_tokens)
    limits = BatchLimits(max_rows=_SCORE_ROWS, max_padded_tokens=num_tokens)
    return Batcher(bundle.run_rows, limits=limits, **queue._asdict())
