"""How long the rows of a request took."""

from typing import NamedTuple


class Timing(NamedTuple):
    """Seconds that rows waited for the graph, and until their answers were there from then on."""

    queue_s: float = 0.0
    compute_s: float = 0.0
