"""The models of this server by name."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Protocol

from seqserve.defaults import choose_defaults
from seqserve.errors import ModelNotFoundError, TaskMismatchError
from seqserve.service.engine.models import AnyModel, LanguageModel
from seqserve.service.engine.open_models import Checked
from seqserve.service.errors import NotReadyError

NOT_READY_RETRY_S = 1
_ECHOED_CHARS = 100


class Observer(Protocol):
    """What models report to: the metrics, which stand above this module."""

    def set_model(self, name: str, version: str, task: str) -> None:
        """Note that this process serves a model."""

    def batch_counter(self, model: str) -> Callable[[int, int, int], None]:
        """Return the function to which a model's batcher reports."""

    def sample_counter(self, model: str) -> Callable[[int, int], None]:
        """Return the function to which a model's decoder reports."""


class Registry:
    """Models by name; `open` is called in the process that serves."""

    def __init__(
        self,
        checked: Iterable[Checked],
        open_model: Callable[[Checked], AnyModel],
        defaults: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Make a registry of checked bundles; defaults: by task, the model for requests that name none.

        Raises UsageError.
        """
        self.checked = {item.manifest.name: item for item in checked}
        """The bundles by name, open or not."""
        tasks = {name: item.manifest.task for name, item in self.checked.items()}
        self._defaults = choose_defaults(tasks, defaults)
        self._open_model = open_model
        self._models: dict[str, AnyModel] = {}
        self._observer: Observer | None = None

    def observe(self, observer: Observer) -> None:
        """Make all models report their work, also those that are opened later."""
        self._observer = observer
        for model in self._models.values():
            self._observe(model)

    def open(self) -> None:
        """Open every model; raises BundleError on the first that cannot be opened."""
        for name in sorted(self.checked):
            self._models[name] = self._open_model(self.checked[name])
            self._observe(self._models[name])

    def _observe(self, model: AnyModel) -> None:
        if self._observer is None:
            return
        name = model.manifest.name
        self._observer.set_model(name, model.manifest.version, model.manifest.task)
        model.batcher.report = self._observer.batch_counter(name)
        if isinstance(model, LanguageModel):
            model.decoder.report = self._observer.sample_counter(name)

    @property
    def names(self) -> list[str]:
        """Names and versions of the bundles."""
        return [f"{name} {self.checked[name].manifest.version}" for name in sorted(self.checked)]

    @property
    def described_defaults(self) -> str:
        """The default model of each task, for the log."""
        return ", ".join(f"{task} by {name}" for task, name in self._defaults.items())

    def is_default(self, name: str) -> bool:
        """Return whether this model answers requests of its task that name none."""
        return name in self._defaults.values()

    @property
    def missing(self) -> list[str]:
        """Names of the models that are not open yet."""
        return sorted(self.checked.keys() - self._models.keys())

    @property
    def models(self) -> list[AnyModel]:
        """Every open model, by name."""
        return [self._models[name] for name in sorted(self._models)]

    def get(self, name: str) -> AnyModel:
        """Return the model of that name; raises ModelNotFoundError, or NotReadyError while it is being opened."""
        if name in self._models:
            return self._models[name]
        if name in self.checked:
            raise NotReadyError(f"Model {name!r} is still being opened.", retry_after_s=NOT_READY_RETRY_S)
        known = ", ".join(sorted(self.checked))
        raise ModelNotFoundError(f"There is no model {name[:_ECHOED_CHARS]!r}; there are: {known}.")

    def find(self, name: str | None, *, task: str) -> AnyModel:
        """Return the model of that name, or without a name the one that does the task by default.

        Raises ModelNotFoundError, NotReadyError, and TaskMismatchError when the named model does something else.
        """
        if name is None and (name := self._defaults.get(task)) is None:
            raise ModelNotFoundError(f"There is no model for the task {task!r} here.")
        model = self.get(name)
        if model.manifest.task != task:
            raise TaskMismatchError(f"Model {name!r} does {model.manifest.task!r}, not {task!r}.")
        return model
