"""What the two graphs of a language model take and give: names, types and shapes, as the manifest says them.

Dimensions: B rows, T tokens, S state_size, K alternatives, M banned and R repeated ids of a row.
"""

from seqserve.signature import Signature, tensors


def score_signature(state_size: int) -> Signature:
    """Return the score graph's inputs and outputs; see ScoreRow and ScoredRow."""
    state = f"float32 B {state_size}"
    return (
        tensors(previous_ids="int32 B T", target_ids="int32 B T", lengths="int32 B", state=state, num_top="int64 1"),
        tensors(
            log_probs="float32 B T",
            ranks="int32 B T",
            top_ids="int32 B T K",
            top_log_probs="float32 B T K",
            next_state=state,
        ),
    )


def step_signature(state_size: int) -> Signature:
    """Return the step graph's inputs and outputs; see StepBatch and StepResult."""
    state = f"float32 B {state_size}"
    inputs = tensors(
        previous_ids="int32 B",
        state=state,
        uniforms="float32 B",
        temperatures="float32 B",
        top_ks="int32 B",
        top_ps="float32 B",
        min_ps="float32 B",
        repetition_penalties="float32 B",
        banned_ids="int32 B M",
        repeated_ids="int32 B R",
    )
    return inputs, tensors(next_ids="int32 B", log_probs="float32 B", next_state=state)
