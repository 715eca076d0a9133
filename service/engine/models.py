"""Put a queue before each open bundle, so that requests share it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from seqserve.bundle import BundleT
from seqserve.classifier.model import ClassifierBundle
from seqserve.language.model import LanguageModelBundle, ScoredRow, ScoreRow
from seqserve.service.engine.batching.batcher import Batcher
from seqserve.service.engine.batching.plan import BatchLimits
from seqserve.service.engine.sampling.decoder import Decoder
from seqserve.tagger.model import TaggedSentence, TaggerBundle
from seqserve.transducer.beam import Hypothesis
from seqserve.transducer.model import TransducerBundle, TransduceRow

RowT = TypeVar("RowT")
ResultT = TypeVar("ResultT")
Tokens = Sequence[str]

_SCORE_ROWS = 16
_SCORE_TOKENS = 1024
"""Rows x longest row of a scoring run. Measured: from 4 rows and 256 tokens on no model gains from more."""


class SlotLimits(NamedTuple):
    """The samples of a model that a process draws at a time, and those that may wait for their turn.

    client_share: the part of both that one client may hold (see Shares).
    """

    max_slots: int = 64
    max_waiting: int = 256
    client_share: float = 1.0


class QueueLimits(NamedTuple):
    """The tokens that may wait for a model in a process, and the longest run in its loop (see Batcher).

    client_share: the part of the queue that one client may hold (see Shares).
    """

    max_queue_tokens: int
    quick_run_s: float = 0.0
    client_share: float = 1.0


@dataclass(frozen=True)
class Model(Generic[BundleT, RowT, ResultT]):
    """An open model, the provider that runs its graphs, and its queue."""

    provider: str
    bundle: BundleT
    batcher: Batcher[RowT, ResultT]

    @property
    def manifest(self) -> Any:
        """The bundle's, of its kind's own type."""
        return self.bundle.manifest


TaggerModel = Model[TaggerBundle, Tokens, TaggedSentence]
ClassifierModel = Model[ClassifierBundle, Tokens, NDArray[np.float32]]  # a row is a text, its result P(label | text)
TransducerModel = Model[TransducerBundle, TransduceRow, Hypothesis]
AnyModel = Model[Any, Any, Any]


@dataclass(frozen=True)
class LanguageModel(Model[LanguageModelBundle, ScoreRow, ScoredRow]):
    """An open language model; the batcher scores, the decoder samples."""

    decoder: Decoder


def open_encoder(
    bundle: TaggerBundle | ClassifierBundle, provider: str, queue: QueueLimits, slots: SlotLimits
) -> AnyModel:
    """Put a queue before a tagger or a classifier."""
    return Model(provider, bundle, make_batcher(bundle, queue))


def open_transducer(bundle: TransducerBundle, provider: str, queue: QueueLimits, slots: SlotLimits) -> TransducerModel:
    """Put a queue before an encoder-decoder; no run is made in the loop, since answers' lengths are not known."""
    return Model(provider, bundle, Batcher(bundle.begin, **queue._replace(quick_run_s=0.0)._asdict()))


def open_language_model(
    bundle: LanguageModelBundle, provider: str, queue: QueueLimits, slots: SlotLimits
) -> LanguageModel:
    """Put a queue, and slots for samples, before a language model."""
    return LanguageModel(provider, bundle, make_score_batcher(bundle, queue), Decoder(bundle, **slots._asdict()))


def make_batcher(bundle: TaggerBundle | ClassifierBundle, queue: QueueLimits) -> Batcher[Tokens, Any]:
    """Return a batcher whose rows are the tokens of sentences or texts, which are looked up when they run."""
    return Batcher(lambda rows: bundle.run(bundle.encode(rows)), **queue._asdict())


def make_score_batcher(bundle: LanguageModelBundle, queue: QueueLimits) -> Batcher[ScoreRow, ScoredRow]:
    """Return a batcher whose rows are stretches of token ids."""
    # A run holds a number for every token and type; max_chunk_tokens is made for 16 rows of that.
    num_tokens = min(_SCORE_TOKENS, _SCORE_ROWS * bundle.manifest.limits.max_chunk_tokens)
    limits = BatchLimits(max_rows=_SCORE_ROWS, max_padded_tokens=num_tokens)
    return Batcher(bundle.run_rows, limits=limits, **queue._asdict())
