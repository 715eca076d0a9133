"""GET /v1/models: what is open here, in OpenAI's list shape with more fields."""

from datetime import UTC, datetime

from flask import Blueprint

from seqserve.classifier.manifest import ClassifierManifest
from seqserve.language.manifest import LanguageModelManifest
from seqserve.language.options import MAX_CANDIDATES
from seqserve.service.answers import Answer, json_answer
from seqserve.service.context import Service, service
from seqserve.service.engine.models import ClassifierModel, Model, TaggerModel, TransducerModel
from seqserve.service.schemas.models import ModelInfo, ModelLimits, ModelList
from seqserve.service.schemas.transduce import MAX_BEAMS
from seqserve.service.settings import Settings
from seqserve.tagger.manifest import TaggerManifest
from seqserve.transducer.manifest import TransducerManifest

blueprint = Blueprint("models", __name__)


@blueprint.get("/v1/models")
def list_models() -> Answer:
    """List every open model, by name."""
    here = service()
    return json_answer(ModelList(data=[_info(model, here) for model in here.registry.models]))


@blueprint.get("/v1/models/<name>")
def show_model(name: str) -> Answer:
    """Describe one model."""
    here = service()
    return json_answer(_info(here.registry.get(name), here))


def _info(model: Model, here: Service) -> ModelInfo:
    manifest, settings = model.manifest, here.settings
    created = datetime.fromisoformat(manifest.created)
    info = ModelInfo(
        id=manifest.name,
        created=int((created if created.tzinfo else created.replace(tzinfo=UTC)).timestamp()),
        owned_by=manifest.producer,
        task=manifest.task,
        default=here.registry.is_default(manifest.name),
        version=manifest.version,
        description=manifest.description,
        cell=manifest.architecture.cell,
        num_parameters=manifest.architecture.num_parameters,
        languages=manifest.languages,
        labels=[],
        limits=ModelLimits(max_tokens=settings.max_tokens, max_texts=settings.max_texts),
        metrics=manifest.metrics,
        licence=manifest.licence,
        reproducible=model.bundle.reproducible,
        provider=model.provider,
    )
    if isinstance(model, TaggerModel):
        _describe_tagger(info, model.manifest)
    elif isinstance(model, ClassifierModel):
        _describe_classifier(info, model.manifest)
    elif isinstance(model, TransducerModel):
        _describe_transducer(info, model.manifest)
    else:
        _describe_language_model(info, model.manifest, settings)
    return info


def _describe_tagger(info: ModelInfo, manifest: TaggerManifest) -> None:
    info.labels = manifest.architecture.labels
    info.limits.max_word_chars = manifest.limits.max_word_chars
    info.limits.max_sentence_tokens = manifest.limits.max_sentence_tokens


def _describe_classifier(info: ModelInfo, manifest: ClassifierManifest) -> None:
    info.labels = manifest.architecture.labels
    info.limits.max_word_chars = manifest.limits.max_word_chars
    info.limits.max_tokens = manifest.limits.max_tokens


def _describe_transducer(info: ModelInfo, manifest: TransducerManifest) -> None:
    info.vocabulary_size = manifest.vocabularies.target.size
    info.limits.max_tokens = manifest.limits.max_source_tokens
    info.limits.max_beams = MAX_BEAMS


def _describe_language_model(info: ModelInfo, manifest: LanguageModelManifest, settings: Settings) -> None:
    info.level = manifest.architecture.level
    info.vocabulary_size = manifest.vocabularies.tokens.size
    info.ends_sentences = manifest.ends_sentences
    info.limits.max_prompt_tokens = settings.max_prompt_tokens
    info.limits.max_candidates = min(MAX_CANDIDATES, settings.max_texts)
