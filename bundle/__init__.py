"""What a bundle is: manifest, vocabularies, tokenisation, tags, checked graph, loading."""

import os

# ONNX Runtime from 1.29 on starts a thread on import that writes to the user's home and sends telemetry. A server
# inside its own network must not, and processes forked beside such a thread abort when they end.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
