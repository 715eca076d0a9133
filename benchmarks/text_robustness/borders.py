"""Names beside borders that no blank line shows: after an abbreviation, and where a long text is cut."""

from collections.abc import Sequence
from itertools import cycle, islice

from benchmarks.text_robustness.names import split
from benchmarks.text_robustness.sentences import Scored, Written, marked, marked_all

_FIRST_HALVES = (
    "The patent belongs to [Cobalt Systems Inc.|ORG]",
    "She left her job at [Harper & Co.|ORG]",
    "They rent the office from [Granite Holdings Ltd.|ORG]",
    "He was hired by [Redwood Corp.|ORG]",
    "We bought the boat from [Nilsen Bros.|ORG]",
    "They emigrated to the [U.S.|LOC]",
    "The factory moved to the [U.K.|LOC]",
    "Her parents live in [Washington|LOC], [D.C.|LOC]",
    "The letter was signed by [Samuel Cole Jr.|PER]",
    "The house belonged to [Edwin Marsh Sr.|PER]",
    "They met again at 6 p.m.",
    "He has a doctorate, a Ph.D.",
    "The sample was from the 3rd century B.C.",
    "We sell paper, ink, etc.",
    "The parade starts on [Fifth Ave.|LOC]",
)
_SECOND_HALVES = (
    "[Peter Lang|PER] stayed behind.",
    "[Aisha|PER] stayed behind.",
    "[Olsen|PER] stayed behind.",
    "[Julia|PER] agreed with [Ben|PER].",
    "[Ken Adams|PER] was not told.",
    "[Ravi|PER] drove home.",
)
_WHOLE = (
    "Dr. [Alan Hughes|PER] operated at noon.",
    "I spoke to Mr. [Collins|PER] and Mrs. [Avery|PER] today.",
    "They moved from [St. Louis|LOC] to [St. Petersburg|LOC].",
    "[J. P. Hartley|PER] wrote the preface.",
    "[Martin Shaw Jr.|PER] won the seat.",
    "[Pacific Gas Co.|ORG] raised its rates.",
    "The [U.S. Senate|ORG] rejected the bill.",
    "Gen. [Douglas Reeve|PER] spoke to Sen. [Maria Ortiz|PER].",
    "Prof. [Ulrich Baum|PER] teaches in [Vienna|LOC].",
    "[Fort Worth|LOC] and [Ft. Lauderdale|LOC] are far apart.",
    "[Mt. Hood|LOC] is in [Oregon|LOC].",
    "He works for [Atlas Inc.|ORG] in [Denver|LOC].",
    "Rev. [Amos Green|PER] led the service.",
    "[George H. W. Bush|PER] visited [Kuwait|LOC].",
    "Lt. Col. [Jane Ferris|PER] retired.",
    "[T. S. Eliot|PER] lived in [London|LOC].",
    "She sued [Delmar Corp.|ORG] for damages.",
    "[Marks Bros. Circus|ORG] came to town.",
    "Capt. [Vera Holt|PER] sailed to [St. Helena|LOC].",
    "[Quinn & Co.|ORG] and [Bishop Ltd.|ORG] merged.",
)
_CLAUSES = (
    "then [{}|PER] went back to [{}|LOC] with the others because it was late",
    "and after that we called [{}|PER] who was still in [{}|LOC] and told him everything",
    "so they asked [{}|PER] to come over from [{}|LOC] and stay for a week or two",
    "but nobody in the office had seen [{}|PER] since the meeting in [{}|LOC]",
)
_PEOPLE = split(
    "Angela Merkel; Barack Obama; John Carter; Susan Miller; David Lee; Maria Lopez; Peter Novak; Jane Austen"
)
_TOWNS = split("Paris; Berlin; New York; Los Angeles; Madrid; San Diego; Rome; Hong Kong; Boston")
_NUM_SHIFTS = 24
_CLAUSES_OF_LONG, _CLAUSES_OF_SHORT = 60, 6


def abbreviations() -> list[Written]:
    """Return sentences that end in an abbreviation, each before sentences that begin with a name."""
    return [marked(f"{first} {second}") for first in _FIRST_HALVES for second in _SECOND_HALVES]


def fused(scored: Scored) -> list[str]:
    """Return the texts of `abbreviations` in which one span covers the end of the first and more than that."""
    borders = [len(marked(first).text) for first in _FIRST_HALVES for _ in _SECOND_HALVES]
    return [
        text.text
        for text, spans, border in zip(scored.texts, scored.found, borders, strict=True)
        if any(span.start < border < span.end - 1 for span in spans)
    ]


def within_sentences() -> list[Written]:
    """Return sentences whose abbreviations end nothing."""
    return marked_all(_WHOLE)


def long_texts() -> list[Written]:
    """Return texts of some 900 tokens without punctuation, shifted so that names come at every place of a cut."""
    return [_run_on(shift, _CLAUSES_OF_LONG) for shift in range(_NUM_SHIFTS)]


def short_texts() -> list[Written]:
    """Return the same clauses in texts of some 90 tokens, which are not cut."""
    return [_run_on(shift, _CLAUSES_OF_SHORT) for shift in range(_NUM_SHIFTS * _CLAUSES_OF_LONG // _CLAUSES_OF_SHORT)]


def cut_in_two(scored: Scored) -> int:
    """Count names of which a part alone was found."""
    return sum(
        any(
            name.start <= span.start and span.end <= name.end and (span.start, span.end) != (name.start, name.end)
            for span in spans
        )
        for text, spans in zip(scored.texts, scored.found, strict=True)
        for name in text.names
    )


def _run_on(shift: int, num_clauses: int) -> Written:
    people, towns = _from(_PEOPLE, shift), _from(_TOWNS, shift)
    clauses = islice(cycle(_CLAUSES), num_clauses)
    return marked(
        " ".join(["well"] * (shift % _NUM_SHIFTS) + [each.format(next(people), next(towns)) for each in clauses])
    )


def _from(names: Sequence[str], start: int) -> "cycle[str]":
    return cycle([*names[start % len(names) :], *names[: start % len(names)]])
