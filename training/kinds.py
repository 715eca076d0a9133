"""Every kind of model that can be trained; a new kind is a folder and one line here.

The folder holds `config`, `model`, and three modules whose functions all kinds have:

    task      training(config, folder) -> an object with run, save and restore (`seqserve.training.runs`)
    export    sources(config), results(config, line), write(target, config, state, card, replace=)
              (`seqserve.training.export_run`)
    evaluate  KIND, ARGUMENTS, add_arguments(parser), run(bundle, arguments) -> measures, report
              (`seqserve.training.commands.evaluate`)

They are imported where they are used, so that only the commands that need torch load it.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from seqserve.training.classifiers.config import ClassifierConfig
from seqserve.training.config import TrainingConfig
from seqserve.training.gradients.config import GradientsConfig
from seqserve.training.language.config import LanguageConfig
from seqserve.training.taggers.config import TaggerConfig
from seqserve.training.transducers.config import TransducerConfig


@dataclass(frozen=True)
class Kind:
    """One kind: the class of its configurations, and the folder that holds the rest."""

    config: type[TrainingConfig]
    folder: str

    def part(self, name: str) -> Any:
        """Import a module of the kind's folder."""
        return import_module(f"seqserve.training.{self.folder}.{name}")


KINDS = {
    "tag": Kind(TaggerConfig, "taggers"),
    "language-model": Kind(LanguageConfig, "language"),
    "classify": Kind(ClassifierConfig, "classifiers"),
    "transduce": Kind(TransducerConfig, "transducers"),
}
"""By the `task` of a configuration, which the bundle's manifest has too."""

CONFIGS: dict[str, type] = {**{task: kind.config for task, kind in KINDS.items()}, "gradients": GradientsConfig}
"""The class of every TOML file by its `task`; a comparison of gradients ends in no bundle."""


def kind_of(config: TrainingConfig) -> Kind:
    """Return the kind of a configuration."""
    return KINDS[config.task]
