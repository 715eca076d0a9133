"""The quality benchmark: labels of each set mapped, tables that say what was measured."""

from pathlib import Path

import pytest

from benchmarks import ner_quality
from benchmarks.ner_quality import SETS, Result, read_set, summary, table
from seqserve.errors import SeqserveError
from seqserve.tagger.tags import spans_from_tags
from seqserve.training.taggers.metrics import score_tags

FIXTURES = Path(__file__).parents[1] / "fixtures" / "conll"


def result(bundle: str, gold: list[str], found: list[str]) -> Result:
    return Result(bundle, "wnut17", "test", "lower case", score_tags([gold], [found]))


@pytest.mark.parametrize("corpus", ["uner_ewt", "wnut17", "wikigold"])
def test_every_set_has_person_place_and_organisation_only(
    corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test.conll").write_bytes((FIXTURES / f"{corpus}.conll").read_bytes())
    monkeypatch.setattr(ner_quality, "corpus_file", lambda path: tmp_path / path.removeprefix(f"{corpus}/"))
    labels = {span.label for sentence in read_set(corpus, "test") for span in spans_from_tags(sentence.tags)}
    assert labels
    assert labels <= {"PER", "LOC", "ORG"}


def test_wnut_groups_and_companies_are_organisations() -> None:
    assert dict(SETS["wnut17"]) == {"person": "PER", "location": "LOC", "corporation": "ORG", "group": "ORG"}


def test_table_has_one_row_for_each_result() -> None:
    row = table([result("a", ["B-PER", "B-LOC"], ["B-PER", "O"])]).splitlines()[-1]
    assert row == "| WNUT-17 test | lower case | 66.7 | 100.0 | 50.0 | 100.0 | 0.0 | 0.0 |"


def test_summary_is_mean_and_sample_deviation_over_bundles() -> None:
    results = [
        result("a", ["B-PER", "B-LOC"], ["B-PER", "B-LOC"]),
        result("b", ["B-PER", "B-LOC"], ["B-PER", "B-ORG"]),
    ]
    assert summary(results).splitlines()[-1] == "| WNUT-17 test | lower case | 75.0 ± 35.4 | 50.0 | 100.0 |"


def test_absent_data_is_named_with_the_command_that_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQSERVE_DATA", "")  # main sets it: monkeypatch puts back what was there
    with pytest.raises(SeqserveError, match="corpora --from FOLDER uner_ewt"):
        ner_quality.main(["unused", "--data", str(tmp_path)])
