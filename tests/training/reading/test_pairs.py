"""Pairs of texts from files to padded ids."""

import numpy as np
import pytest

from seqserve.training.reading.lines import TextError
from seqserve.training.reading.pairs import PairFile, SideOptions, build_vocabulary, read_texts, tokens_of
from seqserve.training.reading.token_ids import CorpusError
from seqserve.training.transducers.batch import batch_pairs, encode_pair
from seqserve.vocabulary.tokens import EOS_ID, START_ID, UNKNOWN_ID

LINES = [("one", "un"), ("two", "deux"), ("one", "une"), ("three", "trois")]


@pytest.fixture
def tsv(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{source}\t{target}\tmore\n" for source, target in LINES), encoding="utf-8")
    return path


def test_columns_are_read_in_either_order(tsv):
    assert list(read_texts(PairFile(str(tsv)))) == LINES
    backward = PairFile(str(tsv), source_column=1, target_column=0)
    assert list(read_texts(backward)) == [(target, source) for source, target in LINES]


def test_parts_hold_every_line_once_and_keep_a_source_together(tsv):
    parts = [list(read_texts(PairFile(str(tsv), part=part))) for part in ((0.0, 0.5), (0.5, 1.0))]
    assert sorted(parts[0] + parts[1]) == sorted(LINES)
    assert all(parts)
    assert not {source for source, _ in parts[0]} & {source for source, _ in parts[1]}


def test_a_line_without_the_column_is_named(tsv):
    with pytest.raises(TextError, match=r"pairs\.tsv, line 1: has 3 columns, no column 3"):
        list(read_texts(PairFile(str(tsv), target_column=3)))


def test_apostrophes_are_written_straight():
    assert tokens_of("l’été", SideOptions("seqserve-fr-1")) == ["l'", "été"]


def test_vocabularies_are_by_frequency_and_within_their_limits():
    rows = [["b", "a", "c"], ["a", "c"], ["a", "d", "<unk>", "<EOS>"]]
    assert build_vocabulary(rows, SideOptions(), "side").tokens == ("a", "c", "b", "d")
    assert build_vocabulary(rows, SideOptions(min_count=2), "side").tokens == ("a", "c")
    assert build_vocabulary(rows, SideOptions(max_vocabulary=5), "side").tokens == ("a", "c", "b")
    with pytest.raises(CorpusError, match="side: no token occurs as often as min_count = 4"):
        build_vocabulary(rows, SideOptions(min_count=4), "side")


def test_only_targets_end_with_eos_and_batches_are_padded():
    vocabularies = [build_vocabulary([["a", "b"]], SideOptions(), "side")] * 2
    pairs = [encode_pair(["a", "b", "x"], ["b"], vocabularies), encode_pair(["b"], [], vocabularies)]
    assert [pair.source.tolist() for pair in pairs] == [[2, 3, UNKNOWN_ID], [3]]
    assert [pair.target.tolist() for pair in pairs] == [[3, EOS_ID], [EOS_ID]]
    assert [len(pair) for pair in pairs] == [5, 2]
    batch = batch_pairs(pairs)
    assert batch.lengths.tolist() == [3, 1]
    assert batch.source[0].tolist() == [2, 3, UNKNOWN_ID]
    assert batch.previous.tolist() == [[START_ID, 3], [START_ID, EOS_ID]]
    assert batch.targets[batch.mask].tolist() == [3, EOS_ID, EOS_ID]
    assert batch.mask.tolist() == [[True, True], [True, False]]
    assert {array.numpy().dtype for array in (batch.source, batch.lengths, batch.previous)} == {np.dtype(np.int64)}
