"""The figures of a tagger."""

from collections.abc import Iterator, Mapping

from benchmarks.text_robustness import borders
from benchmarks.text_robustness.figures import Figure
from benchmarks.text_robustness.gaps import gaps
from benchmarks.text_robustness.names import hyphenated, layouts
from benchmarks.text_robustness.sentences import Scored, Tag, read_probes, score
from benchmarks.text_robustness.symbols import SYMBOLS
from benchmarks.text_robustness.transformations import FORMS, HIDDEN, VARIANTS, Transformation

_GROUPS: Mapping[str, Mapping[str, Transformation]] = {
    "Probes with invisible characters, F1": HIDDEN,
    "Probes in other forms of the same characters, F1": FORMS,
    "Probes with symbols and markup beside names, F1": SYMBOLS,
    "Probes laid out otherwise, F1": VARIANTS,
}
_WITHIN, _WITHIN_AIM = 2.0, 0.5  # points of the probes as written
_HYPHENATED = {"PER": (92.0, 97.0), "ORG": (75.0, 88.0), "LOC": (80.0, 90.0)}
_LAYOUT = (90.0, 97.0)
_FUSED = (9.0, 2.0)


def tagging_figures(tag: Tag) -> Iterator[tuple[str, list[Figure]]]:
    """Yield each group of figures with its title, as soon as it is measured."""
    probes = read_probes()
    plain = score(tag, probes)
    yield "Probes, F1", [_figure("as written", plain.f1, plain)]
    for title, transformations in _GROUPS.items():
        figures = []
        for name, transform in transformations.items():
            scored = score(tag, [transform(each) for each in probes])
            figures.append(_figure(name, scored.f1, scored, (plain.f1 - _WITHIN, plain.f1 - _WITHIN_AIM)))
        yield title, [*figures, _worst(figures)]
    yield "Hyphenated names found whole, %", list(_hyphenated(tag))
    yield "Layout, F1", list(_layouts(tag))
    yield "Borders", list(_borders(tag))
    yield "Texts of a kind with exactly their names", list(_gaps(tag))


def _figure(
    measure: str,
    value: float,
    scored: Scored,
    limits: tuple[float | None, float | None] = (None, None),
    unit: str = "%",
) -> Figure:
    target, aim = limits
    return Figure(measure=measure, values=(value,), target=target, aim=aim, unit=unit, errors=tuple(scored.errors()))


def _worst(figures: list[Figure]) -> Figure:
    worst = min(figures, key=lambda each: each.values[0])
    return Figure(
        measure=f"worst of these: {worst.measure}", values=worst.values, target=worst.target, aim=worst.aim, unit="%"
    )


def _hyphenated(tag: Tag) -> Iterator[Figure]:
    for label, texts in hyphenated().items():
        scored = score(tag, texts)
        yield _figure(f"{label} ({len(texts)} texts)", scored.recall, scored, _HYPHENATED[label])


def _layouts(tag: Tag) -> Iterator[Figure]:
    kinds = layouts()
    every = []
    for kind, texts in kinds.items():
        scored = score(tag, texts)
        every += list(zip(scored.texts, scored.found, strict=True))
        yield _figure(kind, scored.f1, scored, _LAYOUT)
    together = Scored([text for text, _ in every], [spans for _, spans in every])
    yield Figure(measure="all of these", values=(together.f1,), target=_LAYOUT[0], aim=_LAYOUT[1], unit="%")


def _borders(tag: Tag) -> Iterator[Figure]:
    scored = score(tag, borders.abbreviations())
    lines = tuple(borders.fused(scored))
    yield Figure(
        measure="fused over an abbreviation",
        values=(len(lines),),
        target=_FUSED[0],
        aim=_FUSED[1],
        at_most=True,
        unit=f"of {len(scored.texts)}",
        errors=lines,
    )
    yield _figure("the same texts, F1", scored.f1, scored)
    scored = score(tag, borders.within_sentences())
    yield _figure("abbreviations within a sentence, F1", scored.f1, scored)
    short, long = (score(tag, texts) for texts in (borders.short_texts(), borders.long_texts()))
    yield _figure("texts of 90 tokens without punctuation, F1", short.f1, short)
    limits = (short.f1 - _WITHIN, short.f1 - _WITHIN_AIM)
    yield _figure("the same clauses in texts of 900 tokens, F1", long.f1, long, limits)
    num_names = sum(len(text.names) for text in long.texts)
    cut = borders.cut_in_two(long)
    yield Figure(measure="names there of which a part was found", values=(cut,), at_most=True, unit=f"of {num_names}")


def _gaps(tag: Tag) -> Iterator[Figure]:
    for kind, texts in gaps().items():
        scored = score(tag, texts)
        yield _figure(kind, scored.num_right, scored, unit=f"of {len(texts)}")
