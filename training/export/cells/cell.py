"""The interface of a recurrent cell in a graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from seqserve.training.export.builder import GraphBuilder
from seqserve.training.export.weights import Arrays

Parts = Sequence[str]


class AddStep(Protocol):
    """One token: inputs (B,I) and the parts of the state, each (B,H) -> the new parts; the first is the output."""

    def __call__(self, graph: GraphBuilder, layer: Arrays, inputs: str, parts: Parts, *, name: str) -> list[str]: ...


class AddSequence(Protocol):
    """Inputs (T,B,I), lengths (B,) int32, parts of the state, each (B,H) -> outputs (T,B,H), parts at each row's end.

    No parts: a zero state. `backward` reads each row from its last token to its first, where it then ends. Outputs
    beyond a row's end are finite but undefined.
    """

    def __call__(
        self,
        graph: GraphBuilder,
        layer: Arrays,
        inputs: str,
        lengths: str,
        parts: Parts,
        *,
        name: str,
        backward: bool = False,
    ) -> tuple[str, list[str]]: ...


@dataclass(frozen=True)
class Cell:
    """A cell in two forms over the same weights; `layer` holds the arrays that `shapes` names.

    num_parts: arrays of a layer's state; for an LSTM two, hidden state and cell state. num_gates: blocks of rows in
    the weights. Both forms give the same bits for the same row.
    """

    num_parts: int
    num_gates: int
    add_step: AddStep
    add_sequence: AddSequence
    has_peepholes: bool = False  # three gates see the cell state

    def shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of every weight of a layer by its name."""
        rows = self.num_gates * hidden_size
        peepholes = {"weight_ch_l0": (3 * hidden_size, hidden_size)} if self.has_peepholes else {}
        return {
            "weight_ih_l0": (rows, input_size),
            "weight_hh_l0": (rows, hidden_size),
            "bias_ih_l0": (rows,),
            "bias_hh_l0": (rows,),
            **peepholes,
        }
