"""GET /v1/models: the open models, in OpenAI's list shape with more fields."""

from datetime import UTC, datetime

from seqserve.service.answers import Answer, json_answer
from seqserve.service.context import Service, exchange
from seqserve.service.engine.models import AnyModel
from seqserve.service.kinds import KINDS
from seqserve.service.model_info import ModelInfo, ModelLimits, ModelList
from seqserve.service.routes.route import Route


def list_models() -> Answer:
    """List every open model, by name."""
    here = exchange().service
    return json_answer(ModelList(data=[_info(model, here) for model in here.registry.models]))


def show_model(name: str) -> Answer:
    """Describe one model."""
    here = exchange().service
    return json_answer(_info(here.registry.get(name), here))


def _info(model: AnyModel, here: Service) -> ModelInfo:
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
    KINDS[manifest.task].describe(info, manifest, settings)
    return info


LIST = Route(list_models, "GET", "/v1/models", "List the models.", ModelList, errors=("unauthorized", "internal"))
SHOW = Route(
    show_model,
    "GET",
    "/v1/models/<name>",
    "Describe one model.",
    ModelInfo,
    errors=("unauthorized", "model_not_found", "not_ready", "internal"),
)
