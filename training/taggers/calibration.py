"""Fit and measure what a bundle says of its scores, on the dev files of its training.

The temperature is the one of least log loss, of the question whether a found entity is right (Guo et al. 2017, "On
Calibration of Modern Neural Networks"). It moves no entity, only scores.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from seqserve.tagger.manifest import ScorePoint, TaggerCalibration
from seqserve.tagger.model import TaggerBundle
from seqserve.tagger.pipeline import TagOptions
from seqserve.training.export_sources import score_table
from seqserve.training.reading.conll import Sentence
from seqserve.training.taggers.judging import judge

MIN_SCORES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)

_LOWEST, _HIGHEST = math.log(0.5), math.log(3.0)
_STEPS = 8  # of the golden section: the temperature is then within 2 % of the best
_GOLDEN = (math.sqrt(5) - 1) / 2
_FIRST_THRESHOLD = 0.4  # half of an F1 of .8
_ROUNDS = 2
_PLACE_HOLDER = "<!-- calibration -->"


@dataclass(frozen=True)
class DevSet:
    """A dev file: its name, its sentences with tags, and its weight in means."""

    name: str
    sentences: Sequence[Sentence]
    weight: float = 1.0


def calibrate(open_at: Callable[[float], TaggerBundle], dev: Sequence[DevSet]) -> TaggerCalibration:
    """Fit a temperature and a threshold of spans, and measure the scores; files of weight 0 are left out.

    `open_at`: opens the tagger with a temperature.
    """
    dev = [each for each in dev if each.weight]
    temperature = 1.0
    if _log_loss(open_at(temperature), dev):  # of at least one entity
        temperature = round(math.exp(_lowest(lambda log: _log_loss(open_at(math.exp(log)), dev))), 3)
    bundle = open_at(temperature)
    judged = [judge(bundle, each.sentences) for each in dev]

    def mean(values: Sequence[float]) -> float:
        return round(float(np.average(values, weights=[each.weight for each in dev])), 4)

    columns = [[each.point(score) for each in judged] for score in MIN_SCORES]
    return TaggerCalibration(
        temperature=temperature,
        span_threshold=_span_threshold(bundle, dev, mean),
        expected_error=mean([each.expected_error() for each in judged]),
        scores=[
            ScorePoint(
                min_score=score,
                precision=mean([point.precision for point in points]),
                recall=mean([point.recall for point in points]),
            )
            for score, points in zip(MIN_SCORES, columns, strict=True)
        ],
        data=[each.name for each in dev],
    )


def with_table(card: str, calibration: TaggerCalibration) -> str:
    """Return a card with the table of precision and recall, in place of `<!-- calibration -->` or at its end."""
    rows = {
        f"{each.min_score:g} | {100 * each.precision:.1f}": f"{100 * each.recall:.1f}" for each in calibration.scores
    }
    table = score_table("Precision and recall by min_score", ("min_score | precision", "recall"), rows)
    table = table.replace("|---|---|", "|---:|---:|---:|")
    text = (
        f"{table}\nPercent, weighted means over {', '.join(calibration.data)}. The temperature "
        f"{calibration.temperature:g} was fitted on the same files; the expected calibration error is "
        f"{100 * calibration.expected_error:.1f}. Decoding by `expected_f1` takes spans from a probability of "
        f"{calibration.span_threshold:g} on.\n"
    )
    return card.replace(_PLACE_HOLDER, text.rstrip("\n")) if _PLACE_HOLDER in card else f"{card}\n{text}"


def _log_loss(bundle: TaggerBundle, dev: Sequence[DevSet]) -> float:
    losses = [judge(bundle, each.sentences).log_loss() for each in dev]
    return float(np.average(losses, weights=[each.weight for each in dev]))


def _span_threshold(bundle: TaggerBundle, dev: Sequence[DevSet], mean: Callable[[list[float]], float]) -> float:
    """Return half of the F1 that decoding with this threshold reaches (see `seqserve.tagger.decoding`)."""
    threshold = _FIRST_THRESHOLD
    for _ in range(_ROUNDS):
        options = TagOptions(span_threshold=threshold)
        threshold = mean([judge(bundle, each.sentences, options).f1() / 2 for each in dev])
    return min(max(threshold, 0.1), 0.5)


def _lowest(function: Callable[[float], float]) -> float:
    """Return where a function with one valley is lowest, by golden-section search (Kiefer 1953)."""
    low, high = _LOWEST, _HIGHEST
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(_STEPS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = function(right)
    return (low + high) / 2
