"""Tagging and scoring in bulk without a server, tokens a core-second: beside spaCy, CRFsuite, torch and KenLM."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks.load.bench import Bench
from benchmarks.load.rows import Rounds, Row, Take, Theme, ratio, values

_TAGGING, _SCORING = "tagging in bulk", "scoring in bulk"
_OWN = "bundle"
_NUM_TEXTS = 3000
_TARGETS: Mapping[str, tuple[float | None, float | None]] = {"spaCy, small": (4.0, None), "CRFsuite": (None, 1.0)}


@contextmanager
def tagging_takes(bench: Bench) -> Iterator[Mapping[str, Take]]:
    """Yield the measurement; raises SeqserveError when a tagger or the text is not there."""
    from benchmarks.peers import bulk_tagging  # late: a choice without it needs no torch
    from benchmarks.peers.requirements import ENVIRONMENTS
    from seqserve.training.corpora import corpus_file

    taggers = bulk_tagging.taggers_of(bench.options.tagger, bench.options.environments or ENVIRONMENTS)
    texts = corpus_file("uner_ewt/test.conll"), corpus_file("uner_ewt/dev.conll")
    yield {
        _TAGGING: lambda: {each.name: each.median for each in bulk_tagging.measure(taggers, texts, num_rounds=1)},
    }


def tagging_rows(rounds: Rounds) -> list[Row]:
    """The bundle's speed over each peer's, and all speeds."""
    return _rows(rounds, _TAGGING)


@contextmanager
def scoring_takes(bench: Bench) -> Iterator[Mapping[str, Take]]:
    """Yield the measurement; raises SeqserveError when KenLM or the text is not there."""
    from benchmarks.peers import bulk_scoring
    from benchmarks.peers.requirements import ENVIRONMENTS
    from seqserve.language.model import LanguageModelBundle
    from seqserve.loading import load_bundle
    from seqserve.training.corpora import corpus_file

    bundle = load_bundle(bench.options.scorer, LanguageModelBundle)
    folder = (bench.options.environments or ENVIRONMENTS) / "kenlm"
    kenlm = bulk_scoring.kenlm_of(bundle, [corpus_file("standard_ebooks/train-00.txt.xz")], folder)
    sentences = list(bulk_scoring.sentences_of(bundle, corpus_file("standard_ebooks/valid.txt.xz")))

    def take() -> Mapping[str, float]:
        speeds = bulk_scoring.measure(bundle, kenlm, sentences, num_texts=_NUM_TEXTS, num_rounds=1)
        return {each.name: each.median for each in speeds}

    yield {_SCORING: take}


def scoring_rows(rounds: Rounds) -> list[Row]:
    """The bundle's speed over KenLM's, and both."""
    return _rows(rounds, _SCORING)


def _rows(rounds: Rounds, kind: str) -> list[Row]:
    names = list(dict.fromkeys(name for each in rounds for name in each.get(kind, {})))
    against = []
    for name in names:
        if name != _OWN:
            target, aim = _TARGETS.get(name, (None, None))
            against.append(
                Row(
                    measure=f"{kind}: against {name}",
                    values=ratio(rounds, (kind, _OWN), (kind, name)),
                    target=target,
                    aim=aim,
                    unit="×",
                )
            )
    told = [
        Row(measure=f"{kind}, {name}: tokens a core-second", values=values(rounds, kind, name), unit="/s")
        for name in names
    ]
    return against + told


TAGGING = Theme("tagging", "tagging in bulk beside spaCy, CRFsuite and torch, no server", tagging_takes, tagging_rows)
SCORING = Theme("scoring", "scoring in bulk beside KenLM, no server", scoring_takes, scoring_rows)
