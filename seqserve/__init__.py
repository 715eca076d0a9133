"""Recurrent sequence models: names in text, the probability of sentences, new text, labels, translations."""

import os
from pathlib import Path

__version__ = "0.2.0"

# ONNX Runtime from 1.29 on starts a thread on import that writes to the user's home and sends telemetry. A server
# inside its own network must not, and processes forked beside such a thread abort when they end.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# An installed package holds service/ and training/ in its own folder. In a clone they stand beside it.
_here = Path(__file__).parent
if not (_here / "service").is_dir():
    __path__.append(str(_here.parent))
