"""Tokens to text: English spacing, single spaces, or nothing in between; and back again."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.text.detokenization import Detokenizer
from seqserve.text.tokenization import tokenize

FIXTURES = Path(__file__).parents[2] / "fixtures"


def written(forms: Sequence[str], name: str = "seqserve-en-1") -> str:
    detokenizer = Detokenizer(name)
    return "".join(detokenizer.push(form) for form in forms)


def fixture_sentences() -> list[list[str]]:
    """Tokens of every sentence of the fixtures, as the tokeniser finds them."""
    raw = (FIXTURES / "raw_text" / "uner_ewt.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in raw]
    for path in sorted((FIXTURES / "conll").glob("*.conll")):
        blocks = path.read_text(encoding="utf-8").split("\n\n")
        texts += [" ".join(line.split("\t")[0] for line in block.splitlines()) for block in blocks]
    return [[token.text for token in tokenize(text)] for text in texts if text.strip()]


def test_nearly_every_sentence_of_the_fixtures_gives_the_same_tokens_again() -> None:
    sentences = fixture_sentences()
    same = sum([token.text for token in tokenize(written(forms))] == forms for forms in sentences)
    assert len(sentences) > 200
    assert same / len(sentences) >= 0.97


SPACING = {
    "punctuation": ("It is late , very late ; is n't it ?", "It is late, very late; isn't it?"),
    "clitics": ("We 'll say they 've not , I 'm Bob 's", "We'll say they've not, I'm Bob's"),
    "curly clitics": ("It ’s Bob , he ca n’t", "It’s Bob, he can’t"),
    "brackets": ("See ( a [ b ] { c } ) .", "See (a [b] {c})."),
    "double quotes": ('" Go , " he said . " Now . "', '"Go," he said. "Now."'),
    "single quotes": ("He said ' go ' and ' run ' .", "He said 'go' and 'run'."),
    "curly quotes": ("“ Go , ” he said . ‘ Now . ’", "“Go,” he said. ‘Now.’"),
    "treebank quotes": ("`` Go '' , he said", "``Go'', he said"),
    "possessive of a plural": ("The boys ' books", "The boys' books"),
    "elision": ("I was waitin ' for th ' end", "I was waitin' for th' end"),
    "own words with an apostrophe": ("Take 'em in the '90s", "Take 'em in the '90s"),
    "money and shares": ("$ 5 is 10 % of £ 40 , # 1", "$5 is 10% of £40, #1"),
    "two hyphens": ("Well -- I think -- no", "Well -- I think -- no"),
    "one hyphen": ("a well - known man", "a well-known man"),
    "a hyphen that would join": ("to re - do it", "to re- do it"),
    "slash": ("and / or", "and/or"),
    "dots": ("Well ... what !? Oh …", "Well... what!? Oh…"),
    "range": ("pages 5 – 6 , home – good", "pages 5–6, home – good"),
    "title after a quote": ('" Mr. Smith " and " No. 5 "', '"Mr. Smith" and "No. 5"'),
    "halves of a word": ("I 'm gon na let s go", "I'm gonna lets go"),
    "not a half": ("I can not", "I can not"),
    "unknown": ("the <UNK> of <UNK> .", "the <UNK> of <UNK>."),
}


@pytest.mark.parametrize(("tokens", "text"), SPACING.values(), ids=SPACING)
def test_english_spacing(tokens: str, text: str) -> None:
    assert written(tokens.split()) == text


@given(
    st.lists(st.sampled_from(["the", '"', "'", "'s", ".", "(", ")", "-", "--", "<UNK>", "$", "5", "re"]), max_size=12)
)
def test_only_spaces_are_added_and_never_at_the_start(forms: list[str]) -> None:
    text = written(forms)
    assert text.replace(" ", "") == "".join(forms)
    assert "  " not in text
    assert not text.startswith(" ")


@given(st.lists(st.text(min_size=1), max_size=8), st.sampled_from(["seqserve-en-1", "whitespace", "characters"]))
def test_any_forms_are_written_whole(forms: list[str], name: str) -> None:
    joined = {"characters": "", "whitespace": " "}.get(name)
    text = written(forms, name)
    if joined is None:
        assert text.replace(" ", "") == "".join(forms).replace(" ", "")
    else:
        assert text == joined.join(forms)


def test_what_follows_a_prompt_starts_with_its_space() -> None:
    detokenizer = Detokenizer("seqserve-en-1")
    assert [detokenizer.push(form) for form in ("Hello", "world", "!")] == ["Hello", " world", "!"]


def test_a_long_run_without_spaces_is_written() -> None:
    assert written([".", ","] * 2500).replace(" ", "") == ".," * 2500


def test_another_name_is_refused() -> None:
    with pytest.raises(
        ValueError, match="tokenization must be one of seqserve-en-1, seqserve-fr-1, whitespace, characters"
    ):
        Detokenizer("moses")
