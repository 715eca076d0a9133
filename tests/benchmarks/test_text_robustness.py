"""The robustness benchmark: where names are after a transformation, what counts as right, what its lists hold."""

import unicodedata

import pytest

from benchmarks.text_robustness.borders import abbreviations, cut_in_two, fused, long_texts, within_sentences
from benchmarks.text_robustness.gaps import gaps
from benchmarks.text_robustness.names import hyphenated, layouts
from benchmarks.text_robustness.sentences import Name, Scored, Written, marked, read_probes
from benchmarks.text_robustness.symbols import SYMBOLS
from benchmarks.text_robustness.transformations import FORMS, HIDDEN, VARIANTS, after_words, before_words
from seqserve.tagger.tags import Span
from seqserve.text.tokenization import tokenize

TRANSFORMATIONS = {**HIDDEN, **FORMS, **SYMBOLS, **VARIANTS}


def plain(name: str) -> str:
    """A name without what a reader does not see, in compatibility form."""
    form = unicodedata.normalize("NFKC", name.replace("&nbsp;", " ").replace("&amp;", "&").replace("&#39;", "'"))
    visible = "".join(character for character in form if unicodedata.category(character) != "Cf")
    return " ".join(visible.replace("’", "'").replace("‐", "-").split())


@pytest.mark.parametrize("title", TRANSFORMATIONS)
def test_names_are_the_same_after_a_transformation(title: str) -> None:
    changed = 0
    for probe in read_probes():
        written = TRANSFORMATIONS[title](probe)
        changed += written.text != probe.text
        before = [plain(probe.text[name.start : name.end]) for name in probe.names]
        assert [plain(written.text[name.start : name.end]) for name in written.names] == before
        assert [name.labels for name in written.names] == [name.labels for name in probe.names]
    assert changed


def test_what_stands_before_or_after_a_word_is_no_part_of_the_name() -> None:
    name = marked("met [Ada King|PER].")
    for transform, text in ((before_words("_"), "_met _Ada _King."), (after_words("_"), "met_ Ada_ King_.")):
        written = transform(name)
        assert written.text == text
        assert written.text[written.names[0].start : written.names[0].end].strip("_").startswith("Ada")
        assert written.text[written.names[0].end - 1] == "g"


def test_the_probes_have_names_that_begin_and_end_with_more_than_space() -> None:
    probes = read_probes()
    assert len(probes) == 156
    for probe in probes:
        for name in probe.names:
            surface = probe.text[name.start : name.end]
            assert surface == surface.strip() != ""
            assert name.labels <= {"PER", "ORG", "LOC"}


def test_marks_are_read() -> None:
    assert marked("x [New York|LOC/ORG] [1]") == Written("x New York [1]", (Name(2, 10, frozenset(("LOC", "ORG"))),))


def test_a_span_is_right_with_any_of_the_labels_and_the_same_ends() -> None:
    text = marked("[Ann|PER] left [Oxford|ORG/LOC].")
    scored = Scored([text], [[Span("PER", 0, 3), Span("LOC", 9, 15)]])
    assert (scored.f1, scored.recall, scored.num_right, scored.errors()) == (100.0, 100.0, 1, [])
    scored = Scored([text], [[Span("ORG", 0, 3), Span("LOC", 9, 16)]])
    assert (scored.f1, scored.num_right) == (0.0, 0)
    assert "missed: 'Ann' PER, 'Oxford' LOC/ORG  found: 'Ann' ORG, 'Oxford.' LOC" in scored.errors()[0]


def test_names_are_fused_when_a_span_goes_on_after_the_abbreviation() -> None:
    texts = abbreviations()
    assert len(texts) == 90
    whole = [Span("PER", 0, len(text.text)) for text in texts]
    assert len(fused(Scored(texts, [[span] for span in whole]))) == 90
    assert fused(Scored(texts, [[Span(min(n.labels), n.start, n.end) for n in text.names] for text in texts])) == []


def test_a_part_of_a_name_is_a_name_cut_in_two() -> None:
    text = marked("[Ada King|PER]")
    assert cut_in_two(Scored([text], [[Span("PER", 0, 3), Span("PER", 4, 8)]])) == 1
    assert cut_in_two(Scored([text], [[Span("PER", 0, 8)]])) == 0


def test_names_of_long_texts_cover_every_place_of_a_cut() -> None:
    places = set()
    for text in long_texts():
        number_of = {token.start: number for number, token in enumerate(tokenize(text.text))}
        places |= {number_of[name.start] for name in text.names}
    assert set(range(230, 260)) <= places


def test_lists_are_long_enough_and_without_repetition() -> None:
    for texts in hyphenated().values():
        assert len(texts) >= 160
        assert len({text.text for text in texts}) == len(texts)
    assert all(len(texts) == 20 for texts in gaps().values())
    assert len(within_sentences()) == 20
    assert all(name.end > name.start for texts in layouts().values() for text in texts for name in text.names)
