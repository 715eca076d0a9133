"""What the two graphs of a language model take and give: names, types and shapes, as the manifest says them.

Dimensions: B rows, T tokens, S state_size, K alternatives, M banned and R repeated ids of a row.
"""

from seqserve.entries import Tensor
from seqserve.signature import Signature


def score_signature(state_size: int) -> Signature:
    """Return the score graph's inputs and outputs; see ScoreRow and ScoredRow."""
    inputs = [
        Tensor(name="previous_ids", dtype="int32", shape=["B", "T"]),
        Tensor(name="target_ids", dtype="int32", shape=["B", "T"]),
        Tensor(name="lengths", dtype="int32", shape=["B"]),
        Tensor(name="state", dtype="float32", shape=["B", state_size]),
        Tensor(name="num_top", dtype="int64", shape=[1]),
    ]
    outputs = [
        Tensor(name="log_probs", dtype="float32", shape=["B", "T"]),
        Tensor(name="ranks", dtype="int32", shape=["B", "T"]),
        Tensor(name="top_ids", dtype="int32", shape=["B", "T", "K"]),
        Tensor(name="top_log_probs", dtype="float32", shape=["B", "T", "K"]),
        Tensor(name="next_state", dtype="float32", shape=["B", state_size]),
    ]
    return inputs, outputs


def step_signature(state_size: int) -> Signature:
    """Return the step graph's inputs and outputs; see StepBatch and StepResult."""
    inputs = [
        Tensor(name="previous_ids", dtype="int32", shape=["B"]),
        Tensor(name="state", dtype="float32", shape=["B", state_size]),
        Tensor(name="uniforms", dtype="float32", shape=["B"]),
        Tensor(name="temperatures", dtype="float32", shape=["B"]),
        Tensor(name="top_ks", dtype="int32", shape=["B"]),
        Tensor(name="top_ps", dtype="float32", shape=["B"]),
        Tensor(name="min_ps", dtype="float32", shape=["B"]),
        Tensor(name="repetition_penalties", dtype="float32", shape=["B"]),
        Tensor(name="banned_ids", dtype="int32", shape=["B", "M"]),
        Tensor(name="repeated_ids", dtype="int32", shape=["B", "R"]),
    ]
    outputs = [
        Tensor(name="next_ids", dtype="int32", shape=["B"]),
        Tensor(name="log_probs", dtype="float32", shape=["B"]),
        Tensor(name="next_state", dtype="float32", shape=["B", state_size]),
    ]
    return inputs, outputs
