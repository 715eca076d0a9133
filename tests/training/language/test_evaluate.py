"""`seqserve train evaluate` on a language model of six tokens, against its exact distribution."""

import argparse
import gzip
import json
import math
from pathlib import Path
from typing import cast

import pytest

from seqserve.errors import SeqserveError
from seqserve.language.model import LanguageModelBundle
from seqserve.training.commands import evaluate
from seqserve.training.language.text_evaluation import evaluate_text, score_texts
from seqserve.training.reading.text import TextFile, TextOptions
from seqserve.vocabulary.tokens import EOS_ID, UNKNOWN_ID
from tests.toy_language_model import ToyLanguageModel

LINES = "the cat sat .\n\nthe <unk> ran\n"


def exact(toy: ToyLanguageModel, ids: list[int]) -> float:
    return math.fsum(float(toy.distribution(ids[:place])[ids[place]]) for place in range(len(ids)))


def as_bundle(toy: ToyLanguageModel) -> LanguageModelBundle:
    return cast(LanguageModelBundle, toy)


def open_as(monkeypatch: pytest.MonkeyPatch, toy: ToyLanguageModel) -> None:
    """Let `evaluate` load the toy, whatever folder is named."""
    monkeypatch.setattr(evaluate, "load_bundle", lambda folder: toy)
    monkeypatch.setattr(evaluate, "locate", lambda name: name)
    monkeypatch.setattr(evaluate, "task_of", lambda bundle: "language-model")


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    return evaluate.run(parser.parse_args(words))


@pytest.fixture
def toy() -> ToyLanguageModel:
    return ToyLanguageModel(max_chunk_tokens=3)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt.gz"
    path.write_bytes(gzip.compress(LINES.encode()))
    return path


def evaluated(toy: ToyLanguageModel, path: Path, **options: object) -> dict[str, float | None]:
    scores = evaluate_text(as_bundle(toy), path, TextFile(str(path)), TextOptions(**options))  # type: ignore[arg-type]
    return scores.as_dict()


def test_lines_start_from_zero_and_end_in_eos(toy: ToyLanguageModel, text: Path) -> None:
    first, second = [3, 4, 5, 2, EOS_ID], [3, UNKNOWN_ID, 7, EOS_ID]
    found = evaluated(toy, text, unit="line")
    log_prob = exact(toy, first) + exact(toy, second)
    assert (found["num_lines"], found["num_sequences"], found["num_tokens"], found["num_unknown"]) == (2, 2, 9, 1)
    assert found["log_prob"] == pytest.approx(log_prob, abs=1e-4)
    assert found["perplexity"] == pytest.approx(math.exp(-log_prob / 9), rel=1e-5)
    known = log_prob - float(toy.distribution([3])[UNKNOWN_ID])
    assert found["perplexity_known"] == pytest.approx(math.exp(-known / 8), rel=1e-5)
    assert found["num_characters"] == len(LINES) - 1  # the empty line is not scored
    assert found["bits_per_char"] == pytest.approx(-log_prob / math.log(2) / (len(LINES) - 1), rel=1e-5)


def test_a_whole_file_is_one_text_with_an_eos_a_line(toy: ToyLanguageModel, text: Path) -> None:
    ids = [3, 4, 5, 2, EOS_ID, EOS_ID, 3, UNKNOWN_ID, 7, EOS_ID]
    found = evaluated(toy, text, unit="stream")
    assert (found["num_lines"], found["num_sequences"], found["num_tokens"]) == (3, 1, 10)
    assert found["log_prob"] == pytest.approx(exact(toy, ids), abs=1e-4)
    assert found["num_characters"] == len(LINES)


def test_characters_are_read_as_they_are(tmp_path: Path) -> None:
    toy = ToyLanguageModel("character", max_chunk_tokens=4, ends_sentences=False)
    path = tmp_path / "text.txt"
    path.write_text("ab a\n\nb.é\n", encoding="utf-8")
    options = {"level": "character", "tokenization": "characters", "unit": "stream", "ends_sentences": False}
    found = evaluated(toy, path, **options)
    ids = [2, 4, 3, 2, 5, 5, 4, 7, 6, 5]
    assert (found["num_lines"], found["num_tokens"], found["num_characters"]) == (3, 10, 10)
    assert found["bits_per_char"] == pytest.approx(-exact(toy, ids) / math.log(2) / 10, rel=1e-5)


def test_line_ends_that_are_not_scored_are_no_characters(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("ab\nb.\n", encoding="utf-8")
    toy = ToyLanguageModel("character", ends_sentences=False)
    options = {"level": "character", "tokenization": "characters", "unit": "line", "ends_sentences": False}
    found = evaluated(toy, path, **options)
    assert (found["num_lines"], found["num_tokens"], found["num_characters"]) == (2, 4, 4)


def test_tokens_of_columns_are_written_with_blanks_between(toy: ToyLanguageModel, tmp_path: Path) -> None:
    path = tmp_path / "text.conll"
    path.write_text("the\tO\ncat\tO\n\nran\tO\n")
    scores = evaluate_text(as_bundle(toy), path, TextFile(str(path), format="conll"), TextOptions(unit="line"))
    assert (scores.num_lines, scores.sums.num_tokens, scores.num_characters) == (2, 5, len("the cat\nran\n"))


def test_sentences_are_scored_as_people_write_them(toy: ToyLanguageModel) -> None:
    scores = list(score_texts(as_bundle(toy), ["the cat", "", "cats"]))
    expected = [exact(toy, ids) for ids in ([3, 4, EOS_ID], [EOS_ID], [UNKNOWN_ID, EOS_ID])]
    assert [each.log_prob for each in scores] == pytest.approx(expected, abs=1e-5)
    assert [each.num_tokens for each in scores] == [3, 1, 2]
    assert [each.num_unknown for each in scores] == [0, 0, 1]


def test_the_command_prints_what_json_holds(
    toy: ToyLanguageModel, text: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    open_as(monkeypatch, toy)
    assert command("unused", str(text), "--json") == 0
    measured = json.loads(capsys.readouterr().out)["text"]
    assert command("unused", str(text)) == 0
    assert capsys.readouterr().out == (
        f"lines: 2; sequences: 2; tokens: 9; unknown: 1 (11.11%); log P: {measured['log_prob']:.1f}\n"
        f"perplexity: {measured['perplexity']:.2f}; without unknown tokens: {measured['perplexity_known']:.2f}\n"
        f"bits per character: {measured['bits_per_char']:.4f} (28 characters)\n"
    )


def test_pairs_are_reported_by_paradigm(
    toy: ToyLanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    open_as(monkeypatch, toy)
    good, bad = sorted(["the cat", "cat the"], key=lambda text: -exact(toy, [*toy.encode(text).ids, EOS_ID]))
    pairs = tmp_path / "order.tsv"
    pairs.write_text(f"{good}\t{bad}\n{bad}\t{good}\tbackwards\n{good}\t{good}\n{good} dog\t{good} dog\tbackwards\n")
    assert command("unused", "--pairs", str(pairs)) == 0
    assert capsys.readouterr().out == (
        "      all: accuracy:  25.00%; pairs: 4; ties: 2; with unknown: 25.0%\n"
        "    order: accuracy:  50.00%; pairs: 2; ties: 1; with unknown: 0.0%\n"
        "backwards: accuracy:   0.00%; pairs: 2; ties: 1; with unknown: 50.0%\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "evaluated on FILE, on --pairs"),
        (["{text}", "--lower"], "a language model does not take --lower"),
        (["{text}", "--part", "0.5", "0.5"], "a range within 0 to 1"),
        (["{empty}"], "no tokens"),
        (["{empty}", "--whole"], "no tokens"),
        (["{empty}.absent"], "there is no such file"),
        (["{text}", "--column", "1"], "column = 1 of .* needs format"),
        (["{text}", "--format", "conll", "--distinct"], "distinct = True of .* needs"),
    ],
    ids=["nothing", "tagger", "part", "empty", "empty-whole", "absent", "column", "distinct"],
)
def test_what_cannot_be_done_is_one_sentence(
    words: list[str],
    message: str,
    toy: ToyLanguageModel,
    text: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_as(monkeypatch, toy)
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    with pytest.raises(SeqserveError, match=message):
        command("unused", *(word.format(text=text, empty=empty) for word in words))


def test_a_character_model_has_no_sentences(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_as(monkeypatch, ToyLanguageModel("character"))
    with pytest.raises(SeqserveError, match="--sentences: a character model"):
        command("unused", str(text), "--sentences")
    with pytest.raises(SeqserveError, match="--whole: this character model ends lines"):
        command("unused", str(text), "--whole")
