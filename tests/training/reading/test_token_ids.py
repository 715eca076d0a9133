import json

import numpy as np
import pytest

from seqserve.training.reading.text import TextOptions
from seqserve.training.reading.token_ids import CorpusError, FirstPass, map_ids, write_statistics
from seqserve.vocabulary.tokens import EOS_ID, UNKNOWN_ID


def encoded(folder, sequences, options, *, vocabulary=None):
    first = FirstPass(folder / "x.part")
    first.write(sequences)
    vocabulary = vocabulary or first.vocabulary(options)
    return vocabulary, first.finish(folder, "x", vocabulary, ends_sentences=options.ends_sentences)


def test_ids_fall_by_frequency_and_sequences_end_in_eos(tmp_path):
    vocabulary, corpus = encoded(tmp_path, [["b", "a", "b"], ["b", "c", "a"]], TextOptions())
    assert vocabulary.tokens == ("b", "a", "c")
    assert [corpus.sequence(i).tolist() for i in range(len(corpus))] == [[2, 3, 2, EOS_ID], [2, 4, 3, EOS_ID]]
    assert corpus.num_tokens == 8
    assert corpus.ids.dtype == np.uint16


def test_rare_types_and_the_corpus_own_unk_become_unknown(tmp_path):
    options = TextOptions(max_vocabulary=4, min_count=2)
    vocabulary, corpus = encoded(tmp_path, [["a", "a", "b", "b", "c", "c", "<unk>", "<unk>", "<unk>", "d"]], options)
    assert vocabulary.tokens == ("a", "b")
    assert corpus.sequence(0).tolist() == [2, 2, 3, 3, *[UNKNOWN_ID] * 6, EOS_ID]


def test_spellings_that_are_looked_up_alike_are_one_type(tmp_path):
    options = TextOptions(lookup=("plain",), min_count=2)
    vocabulary, corpus = encoded(tmp_path, [["don’t", "b", "don't"], ["“", '"', "b", "”"]], options)
    assert vocabulary.tokens == ('"', "don't", "b")
    assert [corpus.sequence(i).tolist() for i in range(len(corpus))] == [[3, 4, 3, EOS_ID], [2, 2, 4, 2, EOS_ID]]


def test_a_running_text_has_no_eos(tmp_path):
    options = TextOptions(level="character", tokenization="characters", unit="stream", ends_sentences=False)
    vocabulary, corpus = encoded(tmp_path, [list("ab"), list("ba")], options)
    assert [vocabulary.form_of(int(i)) for i in corpus.ids] == list("abba")
    assert corpus.ends.tolist() == [2, 4]


def test_blocks_do_not_change_the_result(tmp_path, monkeypatch):
    rows = [[chr(97 + (i * j) % 7) for j in range(i % 5)] for i in range(40)]
    _, whole = encoded(tmp_path, rows, TextOptions())
    ids, ends = np.array(whole.ids), whole.ends
    monkeypatch.setattr("seqserve.training.reading.token_ids._BLOCK", 7)
    _, blocks = encoded(tmp_path, rows, TextOptions())
    assert np.array_equal(ids, blocks.ids)
    assert np.array_equal(ends, blocks.ends)
    assert blocks.lengths().tolist() == [i % 5 + 1 for i in range(40)]


def test_many_types_need_wider_ids(tmp_path):
    _, corpus = encoded(tmp_path, [[f"w{i}" for i in range(70_000)]], TextOptions())
    assert corpus.ids.dtype == np.int32
    assert int(corpus.ids.max()) == 70_001


def test_statistics_count_unknown(tmp_path):
    vocabulary, _ = encoded(tmp_path, [["a"]], TextOptions())
    _, other = encoded(tmp_path, [["a", "z", "z"]], TextOptions(), vocabulary=vocabulary)
    write_statistics(tmp_path, valid=other)
    assert json.loads((tmp_path / "statistics.json").read_text()) == {
        "valid": {"sequences": 1, "tokens": 4, "unknown_rate": 0.5}
    }


@pytest.mark.parametrize("sequences", [[], [["<unk>"]]], ids=["nothing", "only-unknown"])
def test_text_without_tokens_is_refused(tmp_path, sequences):
    with pytest.raises(CorpusError, match=r"data\.train: no token occurs as often as text\.min_count = 1"):
        encoded(tmp_path, sequences, TextOptions())


@pytest.mark.parametrize("ends_sentences", [True, False], ids=["sentences", "running text"])
@pytest.mark.parametrize("name", ["x.ids", "x.ends.npy"])
@pytest.mark.parametrize("share", [0.5, 0.99])
def test_a_file_that_was_cut_short_is_named(tmp_path, name, share, ends_sentences):
    options = TextOptions(unit="stream", ends_sentences=ends_sentences)
    vocabulary, _ = encoded(tmp_path, [["a", "b", "a"], ["b", "c"]], options)
    map_ids(tmp_path, "x", vocabulary)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(CorpusError, match=r"x\.ids: is damaged, or x\.ends\.npy is; without the folder \S+ the text"):
        map_ids(tmp_path, "x", vocabulary)
