"""A tagger's run as a bundle."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqserve.errors import SeqserveError
from seqserve.training.export.folder import Card
from seqserve.training.export_sources import Results, dev_results, files_of
from seqserve.training.reading.features import forms_of
from seqserve.training.taggers.bundle import TrainedTagger, export_tagger
from seqserve.training.taggers.calibration import DevSet
from seqserve.training.taggers.config import TaggerConfig
from seqserve.training.taggers.task import names_of_dev, read_corpus

# Recorded with their answers in every bundle and checked at each load: plain sentences, a sentence of one token,
# unknown words and characters, capitals, a token longer than any limit.
GOLDEN = (
    'He said , " Teddy Roosevelt was a great President . "',
    'He said , " Teddy bears are on sale ! "',
    "Harry Potter and Hermione Granger invented a new spell .",
    "London",
    "she moved from new york to acme corp . in 1998",
    "ANGELA MERKEL VISITED THE WORLD BANK IN WASHINGTON , D.C.",
    "Zürich Ωmega 東京 \N{GRINNING FACE} zzqxv " + "a" * 300,
)


sources = files_of


def results(config: TaggerConfig, line: Mapping[str, Any]) -> Results:
    """Return the results of the weights; `line`: of the epoch that they are from."""
    return dev_results(config, line, "f1", "span F1")


def write(target: Path, config: TaggerConfig, state: Mapping[str, Any], card: Card, *, replace: bool) -> None:
    """Write the bundle of a run; `state`: what model.pt holds."""
    trained = TrainedTagger(
        weights={name: tensor.numpy() for name, tensor in state["weights"].items()},
        forms=forms_of(state["forms"]),
        characters=state["characters"],
        labels=config.data.labels,
        cell=config.model.cell,
        scheme=config.model.scheme,
        max_word_chars=config.model.characters.max_word_chars,
        span_edges=state.get("span_edges"),
    )
    golden = [sentence.split() for sentence in GOLDEN]
    export_tagger(target, trained, card, golden, dev=_dev_sets(config), replace=replace)


def _dev_sets(config: TaggerConfig) -> list[DevSet]:
    """Return the dev files that count; none, which is said on standard error, when one cannot be read any more."""
    corpora = [corpus for corpus in config.data.dev if corpus.weight]
    try:
        return [
            DevSet(name, read_corpus(corpus, config), corpus.weight)
            for name, corpus in zip(names_of_dev(corpora), corpora, strict=True)
        ]
    except (SeqserveError, OSError) as error:
        print(f"{error}: the bundle's scores are not calibrated", file=sys.stderr)
        return []
