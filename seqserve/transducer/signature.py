"""What the two graphs of an encoder-decoder take and give: names, types and shapes, as the manifest says them.

Dimensions: B rows, S source tokens, K alternatives; state_size and memory_size (M) are numbers.
"""

from seqserve.entries import Tensor
from seqserve.signature import Signature


def encode_signature(state_size: int, memory_size: int) -> Signature:
    """Return the encoder's inputs and outputs; memory_size 0: no attention, so that only a state goes on."""
    inputs = [
        Tensor(name="source_ids", dtype="int32", shape=["B", "S"]),
        Tensor(name="lengths", dtype="int32", shape=["B"]),
    ]
    outputs = [Tensor(name="state", dtype="float32", shape=["B", state_size])]
    if memory_size:
        outputs.append(Tensor(name="memory", dtype="float32", shape=["B", "S", memory_size]))
    return inputs, outputs


def decode_signature(state_size: int, memory_size: int) -> Signature:
    """Return the inputs and outputs of one token of the decoder."""
    inputs = [
        Tensor(name="previous_ids", dtype="int32", shape=["B"]),
        Tensor(name="state", dtype="float32", shape=["B", state_size]),
        Tensor(name="num_top", dtype="int64", shape=[1]),
    ]
    if memory_size:
        inputs.append(Tensor(name="memory", dtype="float32", shape=["B", "S", memory_size]))
        inputs.append(Tensor(name="lengths", dtype="int32", shape=["B"]))
    outputs = [
        Tensor(name="top_ids", dtype="int32", shape=["B", "K"]),
        Tensor(name="top_log_probs", dtype="float32", shape=["B", "K"]),
        Tensor(name="next_state", dtype="float32", shape=["B", state_size]),
    ]
    return inputs, outputs
