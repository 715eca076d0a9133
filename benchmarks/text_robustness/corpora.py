"""The figures of a tagger on the English test sets: given tokens, and the same sentences as raw text."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from benchmarks.ner_quality import TITLES
from benchmarks.raw_text import measure
from benchmarks.running_service import RunningService
from benchmarks.text_robustness.figures import Figure

_BEFORE: Mapping[str, float] = MappingProxyType({"uner_ewt": 78.6, "wnut17": 44.5, "btc": 74.2, "wikigold": 78.8})
"""F1 in percent on given tokens, mean of three seeds, before text as people write it was learned."""

_AIM = 1.0  # points more
_LOSS, _LOSS_AIM = 0.3, 0.0  # points


def corpora_figures(service: RunningService) -> Iterator[tuple[str, list[Figure]]]:
    """Yield the figures of all sets; raises CorporaError when a set is absent."""
    figures = []
    for corpus, before in _BEFORE.items():
        given, raw = (100 * counts.f1 for counts in measure(service, corpus, "test"))
        title = f"{TITLES[corpus]} test"
        figures += [
            Figure(measure=f"{title}, given tokens", values=(given,), target=before, aim=before + _AIM, unit="%"),
            Figure(measure=f"{title}, raw text", values=(raw,), target=given - _LOSS, aim=given - _LOSS_AIM, unit="%"),
        ]
    yield "Test sets, F1", figures
