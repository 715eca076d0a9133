"""Every kind of configuration by the `task` that it names; a new kind is one line here."""

from __future__ import annotations

from training.classifiers.classifier_config import ClassifierConfig
from training.config import Config
from training.gradients.gradient_config import GradientsConfig
from training.language.language_config import LanguageConfig
from training.transducers.transducer_config import TransducerConfig

CONFIG_KINDS = {
    "tag": Config,
    "language-model": LanguageConfig,
    "classify": ClassifierConfig,
    "transduce": TransducerConfig,
    "gradients": GradientsConfig,
}

AnyConfig = Config | LanguageConfig | ClassifierConfig | TransducerConfig
