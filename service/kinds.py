"""The table of kinds as the service has them: a new kind is one line here."""

from collections.abc import Callable
from typing import Any, NamedTuple

from seqserve.bundle import Bundle
from seqserve.classifier.manifest import ClassifierManifest
from seqserve.language.manifest import LanguageModelManifest
from seqserve.language.options import MAX_CANDIDATES
from seqserve.service.engine.models import (
    AnyModel,
    QueueLimits,
    SlotLimits,
    open_encoder,
    open_language_model,
    open_transducer,
)
from seqserve.service.engine.open_models import Checked, open_checked
from seqserve.service.model_info import ModelInfo
from seqserve.service.routes import classify, rank, sample, score, tag, transduce
from seqserve.service.routes.route import Route
from seqserve.service.settings import Settings
from seqserve.tagger.manifest import TaggerManifest
from seqserve.transducer.manifest import TransducerManifest
from seqserve.transducer.pipeline import MAX_BEAMS


def _describe_tagger(info: ModelInfo, manifest: TaggerManifest, settings: Settings) -> None:
    info.labels = manifest.architecture.labels
    info.decode = manifest.decodings
    info.calibration = manifest.calibration
    info.limits.max_word_chars = manifest.limits.max_word_chars
    info.limits.max_sentence_tokens = manifest.limits.max_sentence_tokens


def _describe_classifier(info: ModelInfo, manifest: ClassifierManifest, settings: Settings) -> None:
    info.labels = manifest.architecture.labels
    info.limits.max_word_chars = manifest.limits.max_word_chars
    info.limits.max_tokens = manifest.limits.max_tokens


def _describe_transducer(info: ModelInfo, manifest: TransducerManifest, settings: Settings) -> None:
    info.vocabulary_size = manifest.vocabularies.target.size
    info.limits.max_tokens = manifest.limits.max_source_tokens
    info.limits.max_beams = MAX_BEAMS


def _describe_language_model(info: ModelInfo, manifest: LanguageModelManifest, settings: Settings) -> None:
    info.level = manifest.architecture.level
    info.vocabulary_size = manifest.vocabularies.tokens.size
    info.ends_sentences = manifest.ends_sentences
    info.limits.max_prompt_tokens = settings.max_prompt_tokens
    info.limits.max_candidates = min(MAX_CANDIDATES, settings.max_texts)


class ServedKind(NamedTuple):
    """How the service holds the models of a task.

    open: puts queues before a bundle. describe: adds to what /v1/models says. counters: `seqserve_tokens_NAME_total`.
    routes: what answers requests to such models.
    """

    open: Callable[[Any, str, QueueLimits, SlotLimits], AnyModel]
    describe: Callable[[ModelInfo, Any, Settings], None]
    counters: tuple[str, ...]
    routes: tuple[Route, ...]


KINDS = {
    "tag": ServedKind(open_encoder, _describe_tagger, ("tagged",), (tag.ROUTE,)),
    "language-model": ServedKind(
        open_language_model, _describe_language_model, ("scored", "sampled"), (score.ROUTE, rank.ROUTE, sample.ROUTE)
    ),
    "classify": ServedKind(open_encoder, _describe_classifier, ("classified",), (classify.ROUTE,)),
    "transduce": ServedKind(open_transducer, _describe_transducer, ("transduced",), (transduce.ROUTE,)),
}
"""By task."""


def model_of(bundle: Bundle, provider: str, queue: QueueLimits, slots: SlotLimits | None = None) -> AnyModel:
    """Put a queue before an open bundle."""
    return KINDS[bundle.manifest.task].open(bundle, provider, queue, slots or SlotLimits())


def open_model(checked: Checked, provider: str, queue: QueueLimits, slots: SlotLimits | None = None) -> AnyModel:
    """Open a checked bundle as `open_checked` does and put a queue before it; raises BundleError.

    A run on another provider than the CPU waits for its device, and so is never made in the loop.
    """
    bundle, provider = open_checked(checked, provider)
    if provider != "cpu":
        queue = queue._replace(quick_run_s=0.0)
    return model_of(bundle, provider, queue, slots)
