"""Every peer that serves over HTTP."""

import json
from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.peers.peer import Entities, Peer


def _bentoml_body(text: str) -> bytes:
    return json.dumps({"texts": [text]}).encode()


def _bentoml_entities(answer: bytes) -> Entities:
    entities: Entities = json.loads(answer)[0]
    return entities


def _infer_body(text: str) -> bytes:
    """A request of the Open Inference Protocol (V2), which Triton and MLServer speak."""
    tensor = {"name": "text", "shape": [1, 1], "datatype": "BYTES", "data": [text]}
    return json.dumps({"inputs": [tensor]}).encode()


def _infer_entities(answer: bytes) -> Entities:
    entities: Entities = json.loads(json.loads(answer)["outputs"][0]["data"][0])
    return entities


_ALL = (
    Peer(name="mosec", module="benchmarks.peers.serve_mosec", max_batch=16, wait_ms=2),
    Peer(name="litserve", module="benchmarks.peers.serve_litserve", max_batch=8, wait_ms=5),
    Peer(
        name="bentoml",
        module="benchmarks.peers.serve_bentoml",
        max_batch=16,
        wait_ms=1,
        body=_bentoml_body,
        entities=_bentoml_entities,
    ),
    Peer(
        name="triton",
        module="benchmarks.peers.serve_triton",
        max_batch=16,
        wait_ms=1,
        path="/v2/models/tagger/infer",
        body=_infer_body,
        entities=_infer_entities,
    ),
    Peer(
        name="mlserver",
        module="benchmarks.peers.serve_mlserver",
        max_batch=16,
        wait_ms=1,
        path="/v2/models/tagger/infer",
        body=_infer_body,
        entities=_infer_entities,
    ),
    Peer(name="ray-serve", module="benchmarks.peers.serve_ray", max_batch=16, wait_ms=1),
    Peer(name="torch-eager", module="benchmarks.peers.serve_torch_eager", max_batch=1, wait_ms=0),
)

PEERS: Mapping[str, Peer] = MappingProxyType({peer.name: peer for peer in _ALL})
