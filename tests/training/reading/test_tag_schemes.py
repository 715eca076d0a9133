"""Tags of whole files: prefixes of every scheme and spelling, and labels without them."""

import pytest

from seqserve.training.reading.lines import TextError
from seqserve.training.reading.tag_schemes import tags_in_misc, understand_tags


def places(*values: str) -> dict[str, str]:
    return {value: f"f.conll, line {number}" for number, value in enumerate(values, 1)}


@pytest.mark.parametrize(
    ("values", "tags", "scheme"),
    [
        (("O", "B-PER", "I-PER"), ("O", "B-PER", "I-PER"), "BIO"),
        (("B-X", "L-X", "U-X", "O"), ("B-X", "E-X", "S-X", "O"), "BILOU"),
        (("B-X", "M-X", "E-X", "W-X"), ("B-X", "M-X", "E-X", "S-X"), "BMEWO"),
        (("B-X", "M-X", "S-X"), ("B-X", "M-X", "S-X"), "BMES"),
        (("B-X", "E-X", "S-X"), ("B-X", "E-X", "S-X"), "BIOES"),
        (("O", "I-X", "E-X"), ("O", "I-X", "E-X"), "IOE"),
        (("O", "B_PER", "I_PER"), ("O", "B-PER", "I-PER"), "BIO, written as B_PER"),
        (("o", "b-per", "l-per"), ("O", "B-per", "E-per"), "BILOU, written as b-per"),
        (("O", "PER", "ORG-GOV"), ("O", "I-PER", "I-ORG-GOV"), "labels without prefixes"),
        (("_", "U-X"), ("O", "S-X"), "BILOU"),
        (("O",), ("O",), "no spans"),
    ],
)
def test_schemes_and_spellings(values: tuple[str, ...], tags: tuple[str, ...], scheme: str) -> None:
    found = understand_tags(places(*values))
    assert tuple(found.tag_of[value] for value in values) == tags
    assert found.scheme == scheme


@pytest.mark.parametrize("label", ["ORG-GOV", "work-of-art", "B_cell", "S-Bahn", "I-90"])
def test_labels_that_look_like_tags_stay_whole_after_a_prefix(label: str) -> None:
    found = understand_tags(places("O", f"B-{label}", f"I-{label}", "B-X"))
    assert found.tag_of[f"I-{label}"] == f"I-{label}"


@pytest.mark.parametrize("labels", [("B_cell", "T_cell"), ("S-Bahn", "U-Bahn"), ("e-mail", "url"), ("B-cell", "dna")])
def test_labels_without_prefixes_that_look_like_tags_stay_whole(labels: tuple[str, ...]) -> None:
    found = understand_tags(places("O", *labels))
    assert [found.tag_of[label] for label in labels] == [f"I-{label}" for label in labels]


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        (("O", "B-PER", "I-PER", "PERS"), "line 4: 'PERS'"),
        (("O", "B-PER", "I-PER", "I_LOC"), "line 4: 'I_LOC'"),
        (("NNP", "VBZ"), "line 1: 'NNP'"),
        (("O", "B-"), "line 2: 'B-'"),
        (("O", "B", "I"), "line 2: 'B'"),
    ],
    ids=["no prefix", "other spelling", "no O", "no label", "prefixes alone"],
)
def test_what_is_no_tag_is_named_with_the_schemes(values: tuple[str, ...], wrong: str) -> None:
    with pytest.raises(TextError, match=rf"^f\.conll, {wrong} is not a tag: .*BIOES.*BILOU.*without prefixes$"):
        understand_tags(places(*values))


@pytest.mark.parametrize(
    "values",
    [
        {"_": "O", "SpaceAfter=No": "O", "SpaceAfter=No|Tag=B-X": "B-X", "Tag=O": "O"},
        {"NER=PER|Gloss=B-X": "PER", "NER=LOC": "LOC"},
    ],
    ids=["the only tags", "named"],
)
def test_the_tags_of_misc_are_found(values: dict[str, str]) -> None:
    assert tags_in_misc(places(*values), "f.conllu") == values


def test_a_column_without_keys_is_no_misc() -> None:
    assert tags_in_misc(places("_", "B-X"), "f.conllu") is None


@pytest.mark.parametrize(("value", "shown"), [("SpaceAfter=No", "none"), ("A=B-X|B=I-X", "A, B")])
def test_misc_must_hold_one_key_of_tags(value: str, shown: str) -> None:
    with pytest.raises(TextError, match=rf"f\.conllu: one key of column MISC .* true of {shown}$"):
        tags_in_misc(places(value), "f.conllu")
