"""How fast each cell learns beside torch's fused LSTM: forward and backward over one window, one thread.

    python -m benchmarks.cell_speed [--rows 32] [--tokens 35] [--size 200] [--rounds 7]

Every cell is measured once a round, in turn; printed is the median over rounds, and its share of `nn.LSTM`'s.
"""

import argparse
import statistics
import time

import torch

from seqserve.training.export.cells.table import CELLS
from seqserve.training.layers.cells import build_cells

_SECONDS = 0.5  # of one measurement, at least


def tokens_per_s(layer: torch.nn.Module, inputs: torch.Tensor) -> float:
    """Tokens/s of forward and backward passes over inputs (B,T,I)."""
    num_runs = 0
    started = time.perf_counter()
    while time.perf_counter() - started < _SECONDS:
        layer.zero_grad(set_to_none=True)
        outputs = layer(inputs)[0]
        outputs.sum().backward()
        num_runs += 1
    return num_runs * inputs.shape[0] * inputs.shape[1] / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cell_speed", description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=35)
    parser.add_argument("--size", type=int, default=200, help="of inputs and of hidden states (200)")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    layers = {name: build_cells(name, [(given.size, given.size)])[0] for name in CELLS}
    inputs = torch.randn(given.rows, given.tokens, given.size, requires_grad=True)
    speeds: dict[str, list[float]] = {name: [] for name in layers}
    for _ in range(given.rounds):
        for name, layer in layers.items():
            speeds[name].append(tokens_per_s(layer, inputs))
    lstm = statistics.median(speeds["lstm"])
    print(f"B={given.rows}, T={given.tokens}, H={given.size}, float32, one thread, median of {given.rounds} rounds")
    for name, found in speeds.items():
        speed = statistics.median(found)
        print(
            f"{name:>15}: {speed:9,.0f} tokens/s ({min(found):,.0f} to {max(found):,.0f}), {speed / lstm:.2f} of lstm"
        )


if __name__ == "__main__":
    main()
