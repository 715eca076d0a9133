"""Splice junctions as tags of bases."""

import pytest

from seqserve.training.reading.dna import read_splice
from seqserve.training.reading.lines import TextError


def write(tmp_path, *rows):
    path = tmp_path / "splice.csv"
    path.write_text("\n".join(["label,name,sequence", *rows]), encoding="utf-8")
    return path


def test_each_half_is_one_span(tmp_path):
    path = write(tmp_path, "EI,a,CCAG", "IE,b,TTAG", "N,c,CC")
    found = read_splice(path, (0.0, 1.0))
    assert [sentence.tokens for sentence in found] == [("C", "C", "A", "G"), ("T", "T", "A", "G"), ("C", "C")]
    assert [sentence.tags for sentence in found] == [
        ("B-EXON", "I-EXON", "B-INTRON", "I-INTRON"),
        ("B-INTRON", "I-INTRON", "B-EXON", "I-EXON"),
        ("O", "O"),
    ]


def test_equal_sequences_are_on_one_side_of_a_split(tmp_path):
    path = write(tmp_path, *(f"N,{number},{bases}" for number in range(2) for bases in ("AC", "AG", "AT", "CC", "CG")))
    parts = [read_splice(path, part) for part in ((0.0, 0.5), (0.5, 1.0))]
    first, second = ({sentence.tokens for sentence in part} for part in parts)
    assert not first & second
    assert len(parts[0]) + len(parts[1]) == 10


@pytest.mark.parametrize("row", ["EX,a,CC", "EI,a,CCA", "EI,CC", "EI,a,"])
def test_errors_name_the_line(tmp_path, row):
    with pytest.raises(TextError, match=r"splice\.csv, line 3: is not one of EI, IE, N, a name and an even sequence"):
        read_splice(write(tmp_path, "N,a,CC", row), (0.0, 1.0))
