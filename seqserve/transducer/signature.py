"""What the two graphs of an encoder-decoder take and give: names, types and shapes, as the manifest says them.

Dimensions: B rows, S source tokens, K alternatives; state_size and memory_size (M) are numbers.
"""

from seqserve.signature import Signature, tensors


def encode_signature(state_size: int, memory_size: int) -> Signature:
    """Return the encoder's inputs and outputs; memory_size 0: no attention, so that only a state goes on."""
    memory = {"memory": f"float32 B S {memory_size}"} if memory_size else {}
    return tensors(source_ids="int32 B S", lengths="int32 B"), tensors(state=f"float32 B {state_size}", **memory)


def decode_signature(state_size: int, memory_size: int) -> Signature:
    """Return the inputs and outputs of one token of the decoder."""
    state = f"float32 B {state_size}"
    memory = {"memory": f"float32 B S {memory_size}", "lengths": "int32 B"} if memory_size else {}
    return (
        tensors(previous_ids="int32 B", state=state, num_top="int64 1", **memory),
        tensors(top_ids="int32 B K", top_log_probs="float32 B K", next_state=state),
    )
