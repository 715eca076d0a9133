"""Every kind of configuration by the `task` that it names; a new kind is one line here."""

from __future__ import annotations

from seqserve.training.classifiers.config import ClassifierConfig
from seqserve.training.config import Config
from seqserve.training.gradients.gradient_config import GradientsConfig
from seqserve.training.language.config import LanguageConfig
from seqserve.training.transducers.config import TransducerConfig

CONFIG_KINDS = {
    "tag": Config,
    "language-model": LanguageConfig,
    "classify": ClassifierConfig,
    "transduce": TransducerConfig,
    "gradients": GradientsConfig,
}

AnyConfig = Config | LanguageConfig | ClassifierConfig | TransducerConfig
