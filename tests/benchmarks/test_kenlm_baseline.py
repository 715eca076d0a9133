"""KenLM's answers read and counted, words mapped to the bundle's vocabulary; KenLM itself is a stand-in."""

import math
import stat
import subprocess
from pathlib import Path
from typing import Literal, cast

import pytest

from benchmarks import kenlm_baseline, kenlm_tools
from benchmarks.kenlm_baseline import judge_with, main, pairs_table, perplexity_table, spelling, text_scores
from benchmarks.kenlm_tools import Answer, Kenlm, KenlmError, build, mapped
from seqserve.errors import SeqserveError
from seqserve.language.model import LanguageModelBundle
from seqserve.training.language.minimal_pairs import PairCounts
from tests.toy_language_model import ToyLanguageModel

# Prints, for every line, log10 -1 for a word, -2 for one that it does not know, and -0.5 for the end.
QUERY = """#!/bin/sh
while read -r line; do
    for word in $line; do
        case $word in
            strange=) printf '%s=0 1 -2\\t' "$word" ;;
            *) printf '%s=7 2 -1\\t' "$word" ;;
        esac
    done
    printf '</s>=2 1 -0.5\\tTotal: -1 OOV: 0\\n'
done
"""


@pytest.fixture
def kenlm(tmp_path: Path) -> Kenlm:
    program = tmp_path / "query"
    program.write_text(QUERY)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Kenlm(tmp_path, tmp_path / "model.binary")


def toy() -> LanguageModelBundle:
    return cast(LanguageModelBundle, ToyLanguageModel())


def test_answers_are_read_even_where_a_word_holds_the_separator(kenlm: Kenlm) -> None:
    assert kenlm.query([["the", "strange=", kenlm_tools.UNKNOWN_WORD], []]) == [
        Answer([-1.0, -2.0, -1.0, -0.5], [False, True, True, False]),
        Answer([-0.5], [False]),
    ]


def test_a_failing_program_is_named_with_what_it_said(tmp_path: Path) -> None:
    (tmp_path / "query").write_text("#!/bin/sh\necho no such model >&2\nexit 1\n")
    (tmp_path / "query").chmod(0o755)
    with pytest.raises(KenlmError, match="query failed: no such model"):
        Kenlm(tmp_path, tmp_path / "model.binary").query([["a"]])


def test_words_are_spelled_as_the_bundle_has_them() -> None:
    bundle = toy()
    sentences = mapped([["the", "dog", "sat", "<unk>", "</s>"]], lambda word: spelling(bundle, word))
    unknown = kenlm_tools.UNKNOWN_WORD
    assert list(sentences) == [["the", unknown, "sat", unknown, unknown]]
    assert list(mapped([["dog", "<unk>"]], lambda word: spelling(None, word))) == [["dog", unknown]]


def test_sums_are_natural_and_leave_unknown_words_out() -> None:
    scores = text_scores([Answer([-1.0, -2.0, -0.5], [False, True, False]), Answer([-0.5], [False])])
    assert scores.sums.perplexity == pytest.approx(10.0)
    assert scores.sums.perplexity_known == pytest.approx(10 ** (2 / 3))
    assert perplexity_table(scores, None).splitlines()[-1] == "| KenLM-5 | 10.00 | 4.64 | 4 | 25.00 % |"


def test_kenlm_judges_the_bundles_tokens(kenlm: Kenlm) -> None:
    judged = judge_with(kenlm, toy(), ["the cat", "the dog", "the cat"])
    assert list(judged) == ["the cat", "the dog"]
    assert judged["the dog"].log_prob == pytest.approx(-2.5 * math.log(10))
    assert (judged["the dog"].num_tokens, judged["the dog"].num_unknown) == (3, 1)


def test_pairs_table_shows_both_models() -> None:
    row = pairs_table({"a": (PairCounts(4, 1, 1, 2), PairCounts(4, 3, 0, 2))}).splitlines()[-1]
    assert row == "| a | 25.0 | 75.0 | 4 | 1 / 0 | 50.0 % |"


def test_what_a_build_needs_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "no route")

    monkeypatch.setattr(kenlm_tools.subprocess, "run", fails)
    with pytest.raises(KenlmError, match="pip cannot get kenlm: no route"):
        build(tmp_path)


def test_an_absent_bundle_is_said_before_anything_is_built(tmp_path: Path) -> None:
    text = str(tmp_path / "train.txt")
    with pytest.raises(SeqserveError, match=r"manifest\.json"):
        main(["--build-dir", str(tmp_path), "--train-text", text, "--bundle", str(tmp_path / "absent")])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("level", "ends_sentences"), [("character", True), ("word", False)])
def test_a_bundle_that_kenlm_cannot_be_compared_with_is_refused(
    level: Literal["word", "character"], ends_sentences: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = ToyLanguageModel(level, ends_sentences=ends_sentences)
    monkeypatch.setattr(kenlm_baseline, "load_bundle", lambda folder, expected: other)
    with pytest.raises(SeqserveError, match="models of words that end sentences"):
        main(["--build-dir", str(tmp_path), "--train-text", "unused", "--bundle", "unused"])


def test_without_a_bundle_the_text_is_read_as_the_arguments_say(
    kenlm: Kenlm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kenlm_tools, "build", lambda folder: kenlm.programs)
    text = tmp_path / "text.tsv"
    text.write_text("go\tva là\ngo\tva là\n")
    words = ["--build-dir", str(tmp_path), "--binary", str(kenlm.binary), str(text)]
    assert main([*words, "--format", "tsv", "--column", "1", "--distinct"]) == 0
    assert capsys.readouterr().out.splitlines()[2].split("|")[4].strip() == "3"
