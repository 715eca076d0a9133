"""The shipped tagger on text as people write it: pasted, decorated, laid out, hyphenated, cut."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import seqserve
from benchmarks.text_robustness.sentences import Scored, Tag, Written, marked, read_probes, score
from benchmarks.text_robustness.symbols import SYMBOLS
from benchmarks.text_robustness.transformations import FORMS, HIDDEN, VARIANTS
from seqserve.tagger.tags import Span

MODEL = Path(__file__).parents[3] / "models" / "ner-en" / "2"
TRANSFORMATIONS = {**HIDDEN, **FORMS, **SYMBOLS, **VARIANTS}
MOST_POINTS_LOST = 2.0
SO = "so " * 254

FOUND = {
    "zero width space": "[Angela Merkel|PER] visited [Ber\u200blin|LOC].",
    "byte order mark": "\ufeff[Paris|PER] wrote to us.",
    "byte order mark before a month": "\ufeff[May|PER] resigned.",
    "direction marks": "\u200e[David Cameron|PER]\u200f met \u202a[Barack Obama|PER]\u202c.",
    "full width": "[Ｌｏｎｄｏｎ|LOC] and [Ｐａｒｉｓ|LOC] agreed.",
    "superscript": "[Angela Merkel|PER]² spoke",
    "emoji before": "💩 [Angela Merkel|PER] spoke in 💩 [Rome|LOC]",
    "ampersand": "[AT&amp;T|ORG] hired [Ann Lee|PER].",
    "no-break space": "She left&nbsp;[Paris|LOC]&nbsp;for&nbsp;[Rome|LOC].",
    "quotes": "&quot;[Tim Cook|PER]&quot; left",
    "list of places": "[Berlin|LOC]\n[Paris|LOC]\n[Rome|LOC]\n[Madrid|LOC]",
    "list of persons": "[Angela Merkel|PER]\n[Olaf Scholz|PER]\n[Helmut Kohl|PER]",
    "list with blank lines": "[Berlin|LOC]\n\n[Paris|LOC]\n\n[Rome|LOC]\n\n[Madrid|LOC]",
    "signature": "Kind regards\n[Tom Baker|PER]\n[Globex Ltd|ORG]\n[Leeds|LOC]",
    "double name": "[Angela Merkel-Sauer|PER] visited",
    "firm's title": "Meanwhile, [Northwind Inc.|ORG] Chief Executive [Dana Cole|PER] resigned.",
    "rare title": "On Friday Msgr. [Owen Hartley|PER] thanked the crew.",
    "another rare title": "On Friday Atty. [Owen Hartley|PER] thanked the crew.",
    "curly possessives": "[O’Brien|PER]’s sister met [Jean-Luc|PER]’s brother.",
    "straight possessives": "[O'Brien|PER]'s report angered [Ireland|LOC]'s farmers.",
    "possessives without s": "[James|PER]' sister married [Chris|PER]’ cousin.",
    "apostrophes inside": "[D’Angelo|PER] and [N'Golo Kanté|PER] sang.",
    "dotted capital": "[İbrahim Koral|PER] and [Levent Özçakar|PER] wrote it.",
    "alone": "[Sophy Valente|PER]",
    "alone in capitals": "[SOPHY VALENTE|PER]",
    "alone in small letters": "[maria santoro|PER]",
    "after capitalised words": "Yesterday Acting Chief Executive Dr [Alan Taylor|PER] resigned.",
    "low lines": "[John_Smith|PER] lives in [New_York|LOC].",
    "many spaces": "[Microsoft|ORG]          and [Google|ORG]",
    "space of all kinds": "\r\n\t[Angela   Merkel|PER]\u3000left",
    "cut before a name": f"{SO}[Angela Merkel|PER] visited [Paris|LOC]",
    "cut inside a name": f"{SO}so [Angela Merkel|PER] visited [Paris|LOC]",
    "cut after a name": f"{SO}so so [Angela Merkel|PER] visited [Paris|LOC]",
    "shares": "[Unilever|ORG] shares rose on Monday.",
    "emoji around": "Met 🎤 [Adele|PER] 🎤 in [Las Vegas|LOC]!!!",
    "hyphenated first name": "[Jean-Claude Juncker|PER] succeeded [José Manuel Barroso|PER].",
    "hyphenated first name alone": "Please cc [Anna-Maria|PER] and [Lee|PER].",
    "after a firm": "She met [Smith|PER] at [Acme Inc.|ORG] [Jones|PER] left early.",
    "after a country": "He moved to the [U.S.|LOC] [Maria|PER] stayed in [Spain|LOC].",
    "after a district": "We flew to [Washington|LOC], [D.C.|LOC] [Tom|PER] drove.",
    "after a junior": "I saw [Robert Downey Jr.|PER] [Emma|PER] saw [Tom Hanks|PER].",
    "after two titles": "Then Judge Mr Justice [MacDonald|PER] ruled.",
    "shares of a firm": "Shares of [Nokia|ORG] rose on Monday.",
    "shares of another firm": "Shares of [Pfizer|ORG] rose on Monday.",
    "shares of a shop": "Shares of [Nordstrom|ORG] rose.",
    "a firm's shares": "[Peloton|ORG] shares rose on Monday.",
}

AS_WRITTEN = (
    *("curly apostrophes", "no-break spaces", "double spaces", "LF for each space", "CRLF for each space"),
    *("decomposed (NFD)", "wrapped at 40 columns", "bullet before"),
    *("<b>", "markdown link", "parentheses", "curly double quotes", "guillemets", "single guillemets"),
    *("soft hyphens inside words", "ZWJ inside words", "ZWSP inside words", "word joiners inside words"),
    *("ZWSP before words", "isolates around names", "embeddings around names", "BOM at the start"),
    *("NUL around", "U+FFFD around", "private use after", "superscript digit", "dagger", "footnote [1]"),
    *("emoji after", "emoji before", "flag after", "family after", "skin tone after", "keycap after"),
    *("markdown bold", "no final punctuation"),
    *("&nbsp; for each space", "&quot;", "HTML escapes (&amp; &#39;)", "full width letters", "ligatures"),
)


@pytest.fixture(scope="module")
def tag() -> Iterator[Tag]:
    with seqserve.load(MODEL) as model:
        assert isinstance(model, seqserve.Tagger)

        def spans(texts: list[str]) -> list[list[Span]]:
            return [
                [Span(entity.label, entity.start, entity.end) for entity in answer.entities]
                for answer in model.tag(texts)
            ]

        yield spans


@pytest.fixture(scope="module")
def as_written(tag: Tag) -> Scored:
    return score(tag, read_probes())


def assert_names(tag: Tag, written: Written) -> None:
    assert score(tag, [written]).errors() == []


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND.keys())
def test_names_are_found_with_their_offsets(tag: Tag, text: str) -> None:
    assert_names(tag, marked(text))


@pytest.mark.parametrize("title", AS_WRITTEN)
def test_probes_score_as_without_the_transformation(tag: Tag, as_written: Scored, title: str) -> None:
    scored = score(tag, [TRANSFORMATIONS[title](probe) for probe in read_probes()])
    assert scored.f1 >= as_written.f1 - MOST_POINTS_LOST
