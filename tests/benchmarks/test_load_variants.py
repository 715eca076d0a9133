"""What stands in for parts of the engine, and the bare graph."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from benchmarks.load import variants
from benchmarks.load.raw_rate import raw_graph
from benchmarks.load.variant_server import PATCHES
from benchmarks.load.variant_server import main as serve_variant
from seqserve.language.batches import StepBatch, StepResult
from seqserve.language.model import LanguageModelBundle
from seqserve.service.engine.batching.plan import BatchLimits

TINY = Path(__file__).parents[1] / "fixtures" / "bundles" / "tiny-ner" / "1"


def test_a_recorded_graph_sees_each_distinct_row_once_and_alone() -> None:
    seen: list[list[str]] = []

    def run(rows: list[Sequence[str]]) -> list[str]:
        seen.append([" ".join(row) for row in rows])
        return seen[-1]

    recorded = variants.recorded(run)
    assert recorded([["a", "b"], ["c"], ["a", "b"]]) == ["a b", "c", "a b"]
    assert recorded([["c"], ["d"]]) == ["c", "d"]
    assert seen == [["a b"], ["c"], ["d"]]


def test_without_batching_every_row_runs_alone() -> None:
    sizes: list[int] = []

    def run(rows: list[int]) -> list[int]:
        sizes.append(len(rows))
        return [2 * each for each in rows]

    batcher = variants.Direct(run, max_queue_tokens=10)
    assert batcher.submit([1, 2, 3], [1, 1, 1], patience=None).results == [2, 4, 6]
    assert sizes == [1, 1, 1]


def test_rows_in_the_order_of_arrival() -> None:
    limits = BatchLimits(max_rows=3, max_padded_tokens=4)
    assert variants.rows_in_order([9, 1, 8, 1], limits) == [0, 1, 2]
    assert variants.rows_in_order([9], limits) == [0]


class Counting:
    """A language model whose step gives back the ids it read; notes how many rows it saw."""

    state_size = 2

    def __init__(self) -> None:
        self.seen: list[int] = []

    def advance(self, batch: StepBatch) -> StepResult:
        self.seen.append(len(batch.previous_ids))
        return StepResult(batch.previous_ids, np.zeros(len(batch.previous_ids), np.float32), batch.state)

    run_step = advance


def steps(num_rows: int) -> StepBatch:
    ones = np.ones(num_rows, np.float32)
    ids = np.arange(num_rows, dtype=np.int32)
    none = np.full((num_rows, 1), -1, np.int32)
    return StepBatch(ids, np.zeros((num_rows, 2), np.float32), ones, ones, ids, ones, ones, ones, none, none)


def test_a_padded_batch_keeps_its_size_until_it_is_over() -> None:
    model = Counting()
    padded = variants.PaddedSteps(cast(LanguageModelBundle, model))
    assert padded.run_step(steps(4)).next_ids.tolist() == [0, 1, 2, 3]
    result = padded.advance(steps(2))
    assert result.next_ids.tolist() == [0, 1]
    assert result.state.shape == (2, 2)
    padded.num_rows = 0
    padded.advance(steps(2))
    assert model.seen == [4, 4, 2]
    assert padded.state_size == 2


def test_every_variant_takes_the_place_of_something_that_is_there() -> None:
    for module, name, replacement in PATCHES.values():
        assert getattr(module, name) is not replacement
    assert serve_variant(["nonsense"]) == 2


def test_the_bare_graph_runs_in_two_processes() -> None:
    with raw_graph(TINY, ["Teddy Roosevelt came ."] * 8) as graph:
        assert graph.sentences_per_s(0.05) > 0
