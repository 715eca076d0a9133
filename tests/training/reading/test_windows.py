import numpy as np
import pytest

from seqserve.training.reading.token_ids import TokenIds
from seqserve.training.reading.windows import plan_batches, sequence_windows, stream_windows
from seqserve.vocabulary.tokens import START_ID


def corpus_of(rows):
    return TokenIds(np.concatenate(rows).astype(np.uint16), np.cumsum([len(row) for row in rows]))


def random_rows(num_rows=60, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.integers(2, 90, size=generator.integers(1, 20)) for _ in range(num_rows)]


def read_back(windows):
    """Every row of every batch, its windows joined."""
    rows = []
    for window in windows:
        pieces = [w[m].tolist() for w, m in zip(window.targets, window.mask, strict=True)]
        if window.starts:
            rows.append(pieces)
        else:
            rows[-1] = [before + piece for before, piece in zip(rows[-1], pieces, strict=True)]
    return [row for batch in rows for row in batch]


@pytest.mark.parametrize("batch_tokens", [0, 40])
def test_a_pass_holds_every_sequence_once(batch_tokens):
    rows = random_rows()
    windows = sequence_windows(
        corpus_of(rows), np.random.default_rng(1), batch_size=4, batch_tokens=batch_tokens, bptt_length=6
    )
    assert sorted(read_back(windows)) == sorted(row.tolist() for row in rows)


def test_each_position_sees_the_token_before_and_the_first_sees_nothing():
    corpus, generator = corpus_of(random_rows()), np.random.default_rng(1)
    windows = list(sequence_windows(corpus, generator, batch_size=4, batch_tokens=0, bptt_length=6))
    before = None
    for window in windows:
        assert (window.previous[:, 1:] == window.targets[:, :-1])[window.mask[:, 1:]].all()
        first = window.previous[:, 0]
        assert (first == START_ID).all() if window.starts else (first == before[:, -1])[window.mask[:, 0]].all()
        assert (window.previous[:, 1:] != START_ID).all()
        before = window.targets


def test_short_rows_come_in_wider_batches():
    lengths = np.array([2] * 50 + [40] * 10)
    batches = plan_batches(lengths, np.random.default_rng(0), 4, 80, 40)
    widths = {int(lengths[batch].max()): len(batch) for batch in batches if len(set(lengths[batch])) == 1}
    assert widths[2] > widths[40]
    assert sorted(np.concatenate(batches).tolist()) == list(range(60))


@pytest.mark.parametrize("num_tokens", [1, 7, 40, 41])
def test_a_stream_holds_the_whole_text_in_order(num_tokens):
    corpus = corpus_of([np.arange(2, num_tokens + 2)])
    rows = read_back(stream_windows(corpus, None, batch_size=4, bptt_length=3))
    assert [token for row in rows for token in row] == list(range(2, num_tokens + 2))


def test_a_stream_starts_once_and_carries_on():
    windows = list(stream_windows(corpus_of([np.arange(2, 42)]), None, batch_size=2, bptt_length=6))
    assert [window.starts for window in windows] == [True] + [False] * (len(windows) - 1)
    assert (windows[0].previous[:, 0] == START_ID).all()
    assert (windows[1].previous[:, 0] == windows[0].targets[:, -1]).all()


def test_a_generator_turns_the_stream():
    corpus = corpus_of([np.arange(2, 42)])
    rows = read_back(stream_windows(corpus, np.random.default_rng(3), batch_size=2, bptt_length=6))
    flat = [token for row in rows for token in row]
    assert sorted(flat) == list(range(2, 42))
    assert flat != list(range(2, 42))
