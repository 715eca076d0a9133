"""The figures of a tagger on the English test sets: given tokens, and the same sentences as raw text."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from benchmarks.ner_quality import TITLES
from benchmarks.raw_text import measure_given, read_texts, tag_over_http
from benchmarks.running_service import RunningService
from benchmarks.text_robustness.figures import Figure
from benchmarks.text_robustness.sentences import Name, Written, score

_BEFORE: Mapping[str, float] = MappingProxyType({"uner_ewt": 78.6, "wnut17": 44.5, "btc": 74.2, "wikigold": 78.8})
"""F1 in percent on given tokens, mean of three seeds, before text as people write it was learned."""

_AIM = 1.0  # points more
_LOSS, _LOSS_AIM = 0.3, 0.0  # points


def corpora_figures(service: RunningService) -> Iterator[tuple[str, list[Figure]]]:
    """Yield the figures of all sets; raises CorporaError when a set is absent."""
    figures = []
    for corpus, before in _BEFORE.items():
        sentences, texts, spans = read_texts(corpus, "test")
        given = 100 * measure_given(service, sentences).f1
        raw = score(
            lambda batch: tag_over_http(service, "text", batch, borders=("start", "end")),
            [
                Written(text, tuple(Name(start, end, frozenset((label,))) for label, start, end in names))
                for text, names in zip(texts, spans, strict=True)
            ],
        )
        title = f"{TITLES[corpus]} test"
        figures += [
            Figure(measure=f"{title}, given tokens", values=(given,), target=before, aim=before + _AIM, unit="%"),
            Figure(
                measure=f"{title}, raw text",
                values=(raw.f1,),
                target=given - _LOSS,
                aim=given - _LOSS_AIM,
                unit="%",
                errors=tuple(raw.errors()),
            ),
        ]
    yield "Test sets, F1", figures
