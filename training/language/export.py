"""A language model's run as a bundle."""

import dataclasses
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqserve.text.tokenizers import TOKENIZERS
from seqserve.training.checkpoints import RunError, read_run_config
from seqserve.training.corpora import CorporaError
from seqserve.training.export.folder import Card
from seqserve.training.export.language_model import TrainedLanguageModel
from seqserve.training.export_sources import Results, files_of, score_table
from seqserve.training.language.bundle import export_language_model
from seqserve.training.language.config import LanguageConfig
from seqserve.training.language.setup import sequences_of
from seqserve.training.language.unknown_words import COMMAND, text_reading
from seqserve.training.reading.text import TextFile
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


def sources(config: LanguageConfig) -> dict[str, list[str]]:
    """Return the files that a run read by what they were used for, those of the run that it started from included."""
    texts = training_texts(config)
    return {
        **files_of(config),
        "training": list(dict.fromkeys(file.file for file in texts)),
        "books left out": list(dict.fromkeys(file.skip_books for file in texts if file.skip_books)),
    }


def training_texts(config: LanguageConfig) -> list[TextFile]:
    """Return the texts that the weights learned from; raises RunError when the earlier run is of another kind."""
    own = list(config.data.train)
    if not config.loop.start_from:
        return own
    earlier = read_run_config(Path(config.loop.start_from))
    if not isinstance(earlier, LanguageConfig):
        raise RunError(f"{config.loop.start_from}: is not the run of a language model")
    return [*own, *training_texts(earlier)]


def results(config: LanguageConfig, line: Mapping[str, Any]) -> Results:
    """Return the results of the weights; `line`: of the evaluation that they are from."""
    loss = float(line["valid_loss"])
    if config.text.level == "word":
        metrics = {"perplexity": round(math.exp(loss), 2)}
    else:
        metrics = {"bits_per_char": round(loss / math.log(2), 4)}
    title = f"Validation (epoch {line['epoch']}, {line['tokens']:,} tokens seen, seed {config.seed})"
    shown = {name.replace("_", " "): f"{value:g}" for name, value in metrics.items()}
    return Results({"valid": metrics}, score_table(title, ("measure", "value"), shown))


def write(target: Path, config: LanguageConfig, state: Mapping[str, Any], card: Card, *, replace: bool) -> None:
    """Write the bundle of a run, large tables in half precision; `state`: what model.pt holds.

    A model of words learns from the valid text how many words it does not know. Raises ValueError when weights and
    configuration do not fit.
    """
    trained = trained_model(config, state)
    if trained.level == "word":
        try:
            trained = _with_texts(trained, config)
        except CorporaError as error:
            print(f"{error}; an unknown word has all of <UNK>'s probability until `{COMMAND}`", file=sys.stderr)
    export_language_model(target, trained, card, golden_texts(trained), replace=replace)


def _with_texts(trained: TrainedLanguageModel, config: LanguageConfig) -> TrainedLanguageModel:
    vocabulary = TokenVocabulary(trained.tokens, steps=trained.lookup)
    held_out = sequences_of(config.data.valid, config.text)
    return dataclasses.replace(trained, texts=text_reading(vocabulary, trained.lookup, held_out))


def trained_model(config: LanguageConfig, state: Mapping[str, Any]) -> TrainedLanguageModel:
    """Return what model.pt holds, with what only the configuration knows."""
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


def golden_texts(trained: TrainedLanguageModel) -> list[str]:
    """Return the texts above, and one of the model's own tokens."""
    separator = "" if trained.level == "character" else " "
    vocabulary = TokenVocabulary(trained.tokens, steps=trained.lookup)
    own = separator.join(vocabulary.tokens[:_GOLDEN_TOKENS])
    return [text for text in (*GOLDEN, own) if TOKENIZERS[trained.tokenization](text)]
