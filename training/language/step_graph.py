"""The graph `step` of a language model: reads one token and draws the next, for every row."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from seqserve.language.signature import step_signature
from seqserve.training.export.adaptive_draw import add_adaptive_draw
from seqserve.training.export.builder import GraphBuilder, value_infos
from seqserve.training.export.cuts import Cuts
from seqserve.training.export.draw import DrawInputs, add_draw
from seqserve.training.export.language_model import (
    TrainedLanguageModel,
    add_embedding,
    add_projection,
    add_steps,
)
from seqserve.training.export.softmax import add_full, gather_columns


def build_step(
    trained: TrainedLanguageModel, *, table_dtype: str = "float16"
) -> tuple[onnx.ModelProto, dict[str, NDArray[Any]]]:
    """Return the graph and the tensors of its weights file; raises ValueError when the parts do not fit.

    See seqserve.language.signature for inputs and outputs, and StepBatch for what they mean.
    """
    trained.check()
    graph = GraphBuilder()
    inputs, outputs = step_signature(sum(trained.part_sizes()))
    names = {tensor.name: graph.unique(tensor.name) for tensor in inputs}
    values = add_embedding(graph, trained.weights, names["previous_ids"], table_dtype=table_dtype)  # (B,E)
    hidden = add_projection(graph, trained.weights, add_steps(graph, trained, values, names["state"]))  # (B,P)
    draw_inputs = DrawInputs(
        uniforms=names["uniforms"],
        temperatures=names["temperatures"],
        repetition_penalties=names["repetition_penalties"],
        banned_ids=names["banned_ids"],
        repeated_ids=names["repeated_ids"],
        cuts=Cuts(names["top_ks"], names["top_ps"], names["min_ps"]),
    )
    if trained.softmax == "adaptive":
        drawn, own, is_empty = add_adaptive_draw(graph, trained, hidden, draw_inputs, table_dtype=table_dtype)
    else:
        full = add_full(graph, trained, hidden, table_dtype=table_dtype)
        drawn, is_empty = add_draw(graph, full.logits, draw_inputs, num_ids=trained.num_ids)
        own = gather_columns(graph, full.log_probs, drawn, "drawn.own")
    ids = graph.add("Cast", [drawn], "drawn.int", to=TensorProto.INT32)
    graph.add("Where", [is_empty, graph.scalar(-1, np.int32), ids], "next_ids")
    graph.add("Where", [is_empty, graph.scalar(0, np.float32), own], "log_probs")
    return graph.model("step", value_infos(inputs), value_infos(outputs)), graph.tensors
