"""A language model's run as a bundle."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seqserve.text.tokenizers import TOKENIZERS
from seqserve.training.checkpoints import RunError, read_run_config
from seqserve.training.export.folder import Card
from seqserve.training.export_sources import attributions, data_sources, plain_card
from seqserve.training.language.bundle import export_language_model
from seqserve.training.language.config import LanguageConfig, TextFile
from seqserve.training.language.trained import TrainedLanguageModel
from seqserve.vocabulary.tokens import TokenVocabulary

# Recorded with their scores in every bundle and checked at each load: plain text, a text of one token, unknown words
# and characters, capitals.
GOLDEN = (
    "The apple and pear salad",
    "The cats , which already ate , were full .",
    'He said , " Teddy bears are on sale ! "',
    "London",
    "ANGELA MERKEL VISITED THE WORLD BANK IN WASHINGTON , D.C.",
    "Zürich Ωmega 東京 \N{GRINNING FACE} zzqxv",
)
_GOLDEN_TOKENS = 40  # of the vocabulary's own, for models that know none of the words above


def export_language_run(
    new: Path,
    config: LanguageConfig,
    state: Mapping[str, Any],
    best: Mapping[str, Any],
    *,
    readme: str | None,
    created: str,
    curves: Path,
) -> None:
    """Writes the bundle `new` of a language model's run: what model.pt holds, and the line of the epoch it is from.

    Large tables are stored in half precision. Raises ValueError when weights and configuration do not fit.
    """
    trained = trained_model(config, state)
    files = {
        "training": training_files(config),
        "choosing the epoch": [file.file for file in config.data.valid],
        "books left out": list(dict.fromkeys(file.skip_books for file in training_texts(config) if file.skip_books)),
    }
    sources = data_sources(files)
    metrics = valid_metrics(config, best)
    card = Card(
        name=config.name,
        version=config.version,
        created=created,
        description=config.description,
        readme=readme if readme is not None else plain_card(config, sources, _table(config, best, metrics)),
        licence=config.licence,
        attribution=[*config.attribution, *attributions(files["training"])],
        languages=config.languages,
        metrics={"valid": metrics},
        data=sources,
        curves=curves if curves.exists() else None,
    )
    export_language_model(new, trained, card, golden_texts(trained))


def training_files(config: LanguageConfig) -> list[str]:
    """What the weights learned from, the run that they started from included."""
    return list(dict.fromkeys(file.file for file in training_texts(config)))


def training_texts(config: LanguageConfig) -> list[TextFile]:
    """The same with how each file was read; raises RunError when the earlier run is another kind's."""
    own = list(config.data.train)
    if not config.loop.start_from:
        return own
    earlier = read_run_config(Path(config.loop.start_from))
    if not isinstance(earlier, LanguageConfig):
        raise RunError(f"{config.loop.start_from}: is not the run of a language model")
    return [*own, *training_texts(earlier)]


def trained_model(config: LanguageConfig, state: Mapping[str, Any]) -> TrainedLanguageModel:
    """What model.pt holds, with what only the configuration knows."""
    return TrainedLanguageModel(
        weights={name: tensor.float().numpy() for name, tensor in state["weights"].items()},
        tokens=state["tokens"],
        cell=config.model.cell,
        level=config.text.level,
        tokenization=config.text.tokenization,
        lookup=config.text.lookup,
        softmax=config.model.softmax,
        cutoffs=config.model.cutoffs,
        tied=config.model.tied,
        ends_sentences=config.text.ends_sentences,
    )


def valid_metrics(config: LanguageConfig, best: Mapping[str, Any]) -> dict[str, float]:
    """Perplexity of words, bits of characters; <EOS> counted, <UNK> included."""
    loss = float(best["valid_loss"])
    if config.text.level == "word":
        return {"perplexity": round(math.exp(loss), 2)}
    return {"bits_per_char": round(loss / math.log(2), 4)}


def golden_texts(trained: TrainedLanguageModel) -> list[str]:
    """The texts above, and one of the model's own tokens."""
    separator = "" if trained.level == "character" else " "
    vocabulary = TokenVocabulary(trained.tokens, steps=trained.lookup)
    own = separator.join(vocabulary.tokens[:_GOLDEN_TOKENS])
    return [text for text in (*GOLDEN, own) if TOKENIZERS[trained.tokenization](text)]


def _table(config: LanguageConfig, best: Mapping[str, Any], metrics: Mapping[str, float]) -> str:
    names: Sequence[str] = [name.replace("_", " ") for name in metrics]
    scores = "\n".join(f"| {name} | {value:g} |" for name, value in zip(names, metrics.values(), strict=True))
    head = f"## Validation (epoch {best['epoch']}, {best['tokens']:,} tokens seen, seed {config.seed})"
    return f"{head}\n\n| measure | value |\n|---|---|\n{scores}\n"
