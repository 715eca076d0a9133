"""Other ways to serve the same graph and to tag and score in bulk, each in its own virtual environment.

python -m benchmarks.peers.environments all
python -m benchmarks.peers                    # starts each and checks its answers
python -m benchmarks.peers.tuning NAME        # what batch size and waiting time suit it best
python -m benchmarks.peers.bulk_tagging
python -m benchmarks.peers.bulk_scoring
"""

from benchmarks.peers.peer import Peer
from benchmarks.peers.running_peer import running
from benchmarks.peers.table import PEERS

__all__ = ["PEERS", "Peer", "running"]
