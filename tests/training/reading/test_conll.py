"""Column files in every form they come in."""

import gzip
import lzma
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.tagger.tags import spans_from_tags, tags_from_spans
from seqserve.training.reading.conll import Sentence, map_labels, read_conll, to_scheme, understand_conll
from seqserve.training.reading.lines import TextError

FIXTURES = Path(__file__).parents[2] / "fixtures" / "conll"


def written(folder: Path, text: str, name: str = "file.conll") -> Path:
    path = folder / name
    path.write_bytes(text.encode("utf-8"))
    return path


@pytest.mark.parametrize(
    ("name", "counts"),
    [("uner_ewt", (24, 270, 12)), ("wnut17", (8, 101, 13)), ("wikigold", (11, 201, 29))],
    ids=["uner_ewt", "wnut17", "wikigold"],
)
def test_real_files_have_their_sentences_tokens_and_spans(name: str, counts: tuple[int, int, int]) -> None:
    sentences = read_conll(FIXTURES / f"{name}.conll")
    tokens = sum(len(each.tokens) for each in sentences)
    spans = sum(len(spans_from_tags(each.tags)) for each in sentences)
    assert (len(sentences), tokens, spans) == counts


def test_doc_comments_are_skipped_and_their_sentences_kept() -> None:
    assert read_conll(FIXTURES / "uner_ewt.conll")[0].tokens[:4] == ("where", "can", "I", "get")


ORIGINAL_CONLL = """-DOCSTART- -X- O O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
German JJ I-NP I-MISC

-DOCSTART- -X- O O

Peter NNP I-NP I-PER
"""


def test_four_columns_and_docstart_lines(tmp_path: Path) -> None:
    path = written(tmp_path, ORIGINAL_CONLL)
    assert read_conll(path) == [
        Sentence(("EU", "rejects", "German"), ("I-ORG", "O", "I-MISC")),
        Sentence(("Peter",), ("I-PER",)),
    ]


def test_any_column_can_be_the_token_or_the_tag(tmp_path: Path) -> None:
    path = written(tmp_path, ORIGINAL_CONLL)
    assert read_conll(path, tag_column=2)[0].tags == ("I-NP", "I-VP", "I-NP")
    assert read_conll(written(tmp_path, "O\t1\tParis\tB-LOC\n"), token_column=2)[0].tokens == ("Paris",)


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("last", ["", "END", "ENDEND"], ids=["no newline", "newline", "blank line"])
def test_line_ends_do_not_matter(tmp_path: Path, ending: str, last: str) -> None:
    text = "a\tO\nb\tB-X\n\nc\tO" + last.replace("END", "\n")
    assert [each.tokens for each in read_conll(written(tmp_path, text.replace("\n", ending)))] == [("a", "b"), ("c",)]


@pytest.mark.parametrize("separator", ["\t", " ", "   "], ids=["tab", "space", "spaces"])
def test_the_hash_token_is_no_comment(tmp_path: Path, separator: str) -> None:
    text = f"# doc = 1\n#{separator}O\n#1{separator}B-X\n# newdoc id = 2\nwon{separator}O\n"
    assert read_conll(written(tmp_path, text)) == [Sentence(("#", "#1", "won"), ("O", "B-X", "O"))]


def test_free_comments_before_the_first_row_of_a_tabbed_file(tmp_path: Path) -> None:
    assert read_conll(written(tmp_path, "# made by hand\n# doc\na\tO\n")) == [Sentence(("a",), ("O",))]
    assert read_conll(written(tmp_path, "# made by hand\n#\tO\n")) == [Sentence(("#",), ("O",))]


def test_only_tabs_part_columns_of_tabbed_files_and_only_lf_parts_lines(tmp_path: Path) -> None:
    text = "1 000\tO\nx\u2028y\tO\n\u00a0z\tO\n"
    assert read_conll(written(tmp_path, text))[0].tokens == ("1 000", "x\u2028y", "\u00a0z")


def test_byte_order_mark_is_no_part_of_the_first_token(tmp_path: Path) -> None:
    assert read_conll(written(tmp_path, "\ufeffa\tO\n"))[0].tokens == ("a",)


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)], ids=["gz", "xz"])
def test_packed_files(tmp_path: Path, suffix: str, pack) -> None:
    (tmp_path / f"x.conll{suffix}").write_bytes(pack(b"a\tB-X\n"))
    assert read_conll(tmp_path / f"x.conll{suffix}") == [Sentence(("a",), ("B-X",))]


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_damaged_packed_file_is_named(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"x{suffix}").write_bytes(b"not packed")
    with pytest.raises(TextError, match=rf"x{suffix}: cannot be read"):
        read_conll(tmp_path / f"x{suffix}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tO\nb\tx\tO\n", r"line 2: 3 columns where the lines before have 2"),
        ("a\tO\n\nb\n", r"line 3: 1 columns where"),
        ("a\tO\n\tO\n", r"line 2: the token is empty"),
        ("a\tNNP\n", r"line 1: 'NNP' is not a tag"),
        ("a\tB-\n", r"line 1: 'B-' is not a tag"),
    ],
    ids=["more columns", "fewer columns", "empty token", "other column", "no label"],
)
def test_errors_name_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TextError, match=rf"file\.conll, {message}"):
        read_conll(written(tmp_path, text))


def test_missing_columns_and_files_and_wrong_encodings_are_named(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"line 1: has 2 columns, not the columns 0 and 4 asked for"):
        read_conll(written(tmp_path, "a\tO\n"), tag_column=4)
    with pytest.raises(TextError, match=r"absent\.conll: there is no such file"):
        read_conll(tmp_path / "absent.conll")
    (tmp_path / "latin.conll").write_bytes("a\tO\né\tO\n".encode("latin-1"))
    with pytest.raises(TextError, match=r"latin\.conll, line 2: byte \d+ is not UTF-8"):
        read_conll(tmp_path / "latin.conll")


TAGGED = Sentence(tuple("abcdef"), ("B-X", "I-X", "B-X", "O", "I-Y", "I-Z"))


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("BIO", ("B-X", "I-X", "B-X", "O", "B-Y", "B-Z")),
        ("BIOES", ("B-X", "E-X", "S-X", "O", "S-Y", "S-Z")),
        ("IOB1", ("I-X", "I-X", "B-X", "O", "I-Y", "I-Z")),
    ],
    ids=["bio", "bioes", "iob1"],
)
def test_schemes_write_the_same_spans(scheme: str, tags: tuple[str, ...]) -> None:
    assert to_scheme([TAGGED], scheme) == [Sentence(TAGGED.tokens, tags)]


def test_bmes_is_read_as_bioes(tmp_path: Path) -> None:
    path = written(tmp_path, "a B-NAME\nb M-NAME\nc E-NAME\nd S-ORG\n")
    assert to_scheme(read_conll(path), "BIO")[0].tags == ("B-NAME", "I-NAME", "I-NAME", "B-ORG")


def test_bilou_is_read_as_bioes(tmp_path: Path) -> None:
    path = written(tmp_path, "Ann B-PER\nMay I-PER\nLee L-PER\nmet O\nBob U-PER\n")
    assert read_conll(path)[0].tags == ("B-PER", "I-PER", "E-PER", "O", "S-PER")


def test_neighbours_without_prefixes_are_one_span(tmp_path: Path) -> None:
    (sentence,) = read_conll(written(tmp_path, "Ann PER\nLee PER\nParis LOC\nran O\n"))
    assert spans_from_tags(sentence.tags) == [("PER", 0, 2), ("LOC", 2, 3)]


CONLLU = """# sent_id = 1
1\tAnn\tann\tPROPN\t_\t_\t2\tnsubj\t_\tNER=B-PER|SpaceAfter=No
2-3\tdidn't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdid\tdo\tAUX\t_\t_\t0\troot\t_\tSpaceAfter=No
3\tn't\tnot\tPART\t_\t_\t2\tadvmod\t_\tNER=O
3.1\tgo\tgo\tVERB\t_\t_\t_\t_\t_\t_
"""


def test_conllu_has_its_words_in_column_1_and_its_tags_in_misc(tmp_path: Path) -> None:
    assert read_conll(written(tmp_path, CONLLU)) == [Sentence(("Ann", "did", "n't"), ("B-PER", "O", "O"))]


@pytest.mark.parametrize(
    ("tags", "scheme"), [("I B I O", "IOB1"), ("B I O I", "IOB1"), ("B I O B", "BIO"), ("B L O U", "BILOU")]
)
def test_the_scheme_is_named(tmp_path: Path, tags: str, scheme: str) -> None:
    text = "".join(f"x {tag}{'-X' * (tag != 'O')}\n" for tag in tags.split())
    assert understand_conll(written(tmp_path, text)).scheme == scheme


@pytest.mark.parametrize("mark", ["-DOCSTART-\tO", "-DOCSTART- O", "-DOCSTART-", "-DOCSTART- -X- O O"])
def test_a_mark_of_a_document_in_a_tabbed_file_has_any_columns(tmp_path: Path, mark: str) -> None:
    text = f"{mark}\n\na\tO\n{mark}\nb\tO\n"
    assert [each.tokens for each in read_conll(written(tmp_path, text))] == [("a",), ("b",)]


def test_tokens_are_composed(tmp_path: Path) -> None:
    assert read_conll(written(tmp_path, "Jose\u0301\tO\n"))[0].tokens == ("Jos\u00e9",)


@given(st.lists(st.sampled_from(["O", *(f"{prefix}-{label}" for prefix in "BIES" for label in "XY")]), max_size=9))
def test_conversion_keeps_spans_whatever_the_tags(tags: list[str]) -> None:
    sentence = Sentence(tuple("t" for _ in tags), tuple(tags))
    for scheme in ("IOB1", "BIO", "BIOES"):
        (converted,) = to_scheme([sentence], scheme)
        assert spans_from_tags(converted.tags) == spans_from_tags(tags)
        assert list(converted.tags) == tags_from_spans(spans_from_tags(tags), len(tags), scheme)


def test_mapping_renames_and_removes_and_keeps_neighbours_apart() -> None:
    sentence = Sentence(tuple("abcde"), ("I-group", "I-corporation", "O", "B-product", "I-product"))
    (mapped,) = map_labels([sentence], {"group": "ORG", "corporation": "ORG"})
    assert mapped.tags == ("B-ORG", "B-ORG", "O", "O", "O")


def test_a_sentence_has_as_many_tags_as_tokens() -> None:
    with pytest.raises(ValueError, match="2 tokens has 1 tags"):
        Sentence(("a", "b"), ("O",))
