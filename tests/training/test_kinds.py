"""The table of kinds: what a folder must hold, and the names that other tables have for the same things."""

import inspect
from typing import get_args

import pytest

from seqserve.entries import CellName
from seqserve.kinds import KINDS as OPENED
from seqserve.training.export.cells.table import CELLS as GRAPHS
from seqserve.training.kinds import CONFIGS, KINDS, Kind
from seqserve.training.layers.cells import CELLS as LAYERS


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize(
    ("part", "functions"),
    [
        ("task", {"training": ["config", "folder"]}),
        (
            "export",
            {
                "sources": ["config"],
                "results": ["config", "line"],
                "write": ["target", "config", "state", "card", "replace"],
            },
        ),
        ("evaluate", {"add_arguments": ["parser"], "run": ["bundle", "arguments"]}),
    ],
    ids=["task", "export", "evaluate"],
)
def test_every_folder_holds_what_the_commands_call(kind: Kind, part: str, functions: dict[str, list[str]]) -> None:
    module = kind.part(part)
    assert {name: list(inspect.signature(getattr(module, name)).parameters) for name in functions} == functions


def test_a_task_is_called_alike_in_configurations_and_manifests() -> None:
    assert set(KINDS) == set(OPENED)
    assert {task: config.__dataclass_fields__["task"].default for task, config in CONFIGS.items()} == {
        task: task for task in CONFIGS
    }


def test_every_cell_has_a_layer_and_a_graph_with_states_of_as_many_parts() -> None:
    assert set(get_args(CellName)) == set(LAYERS) == set(GRAPHS)
    assert {name: cell.num_parts for name, cell in LAYERS.items()} == {
        name: cell.num_parts for name, cell in GRAPHS.items()
    }
