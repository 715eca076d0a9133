import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from seqserve.tagger.tags import spans_from_tags, tags_from_spans
from seqserve.training.reading.conll import read_conll
from seqserve.training.taggers.templates import make_sentences, write_column_file

DATA = Path(__file__).parents[3] / "training/data"
WRITTEN = read_conll(DATA / "written-en.conll")


def names() -> Iterator[tuple[str, str]]:
    for sentence in WRITTEN:
        for span in spans_from_tags(sentence.tags):
            yield span.label, " ".join(sentence.tokens[span.start : span.end])


def test_the_committed_sentences_are_those_of_the_templates() -> None:
    source = tomllib.loads((DATA / "written-en.toml").read_text("utf-8"))
    assert (DATA / "written-en.conll").read_text("utf-8") == write_column_file(make_sentences(source))


def test_the_committed_tags_are_well_formed_spans_of_three_labels() -> None:
    for sentence in WRITTEN:
        spans = spans_from_tags(sentence.tags)
        assert tuple(tags_from_spans(spans, len(sentence.tags), "BIO")) == sentence.tags
        assert {span.label for span in spans} <= {"PER", "ORG", "LOC"}


def test_the_committed_names_vary() -> None:
    counts = Counter(names())
    often = [name for (_, name), count in counts.items() if count > 3]
    assert len(often) <= 8  # U.S. and the like, which end sentences
    assert len(counts) > 3000


@pytest.mark.parametrize(("label", "at_least"), [("PER", 150), ("ORG", 120), ("LOC", 150)])
def test_the_committed_hyphenated_names_are_many(label: str, at_least: int) -> None:
    assert len({name for of, name in names() if of == label and "-" in name}) >= at_least


def table(frame: str, *, sentences: int = 1) -> dict[str, object]:
    pools = {
        "given": {"label": "PER", "names": "Ada; Bo"},
        "person": {"label": "PER", "patterns": ["{given} Lund"]},
        "tool": {"names": "saw"},
    }
    return {"seed": 1, "pools": pools, "kinds": {"one": {"sentences": sentences, "frames": frame}}}


@pytest.mark.parametrize(
    ("frame", "tokens", "tags"),
    [
        ("a {tool} fell", "a saw fell", "O O O"),
        ("{LOC:St. Ives} fell", "St. Ives fell", "B-LOC I-LOC O"),
        ("in {ORG:Acme}{ORG:Bexley} fell", "in Acme Bexley fell", "O B-ORG B-ORG O"),
    ],
    ids=["a word that is no name", "a name of several tokens", "two names side by side"],
)
def test_a_frame_gives_tokens_and_tags(frame: str, tokens: str, tags: str) -> None:
    (sentence,) = make_sentences(table(frame))
    assert (sentence.tokens, sentence.tags) == (tuple(tokens.split()), tuple(tags.split()))


def test_a_pattern_gives_one_span() -> None:
    (sentence,) = make_sentences(table("{person} fell"))
    assert sentence.tags == ("B-PER", "I-PER", "O")


def test_a_slot_in_upper_case_gives_the_name_in_upper_case() -> None:
    (sentence,) = make_sentences(table("{GIVEN} FELL"))
    assert sentence.tokens[0] in {"ADA", "BO"}


def test_a_name_is_once_in_a_sentence() -> None:
    made = make_sentences(table("{given} met {given}", sentences=2))
    assert {sentence.tokens for sentence in made} == {("Ada", "met", "Bo"), ("Bo", "met", "Ada")}


def test_too_few_names_are_an_error() -> None:
    with pytest.raises(ValueError, match="kind 'one' lacks 1 sentences"):
        make_sentences(table("{given} fell", sentences=3))
