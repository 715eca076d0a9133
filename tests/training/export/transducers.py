"""Small random encoder-decoders: torch's module, which is the oracle, and the export's view of its weights."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqserve.graph import Graph
from seqserve.training.transducers.config import DecoderConfig, EncoderConfig, TransducerModelConfig
from seqserve.training.transducers.decode_graph import build_decode
from seqserve.training.transducers.encode_graph import build_encode
from seqserve.training.transducers.model import Transducer
from seqserve.training.transducers.trained import TrainedSide, TrainedTransducer
from seqserve.transducer.signature import decode_signature, encode_signature
from tests.training.export.sessions import open_graph

__all__ = ["MODELS", "open_decode", "open_encode", "random_transducer"]

NUM_SOURCE, NUM_TARGET = 23, 37

MODELS: dict[str, dict[str, Any]] = {
    "lstm": {},
    "rnn": {"cell": "rnn"},
    "rnn-relu": {"cell": "rnn-relu"},
    "gru-simplified": {"cell": "gru-simplified"},
    "gru": {"cell": "gru"},
    "gru-cudnn": {"cell": "gru-cudnn"},
    "lstm-peephole": {"cell": "lstm-peephole"},
    "lstm, tied, two layers": {"tied": True, "encoder_layers": 2, "decoder_layers": 2},
    "gru, one direction, two layers": {"cell": "gru", "bidirectional": False, "decoder_layers": 2},
    "lstm, no attention": {"attention": "none"},
    "gru-cudnn, no attention, tied": {"cell": "gru-cudnn", "attention": "none", "tied": True},
}


def random_transducer(
    *,
    cell: str = "lstm",
    attention: str = "general",
    tied: bool = False,
    bidirectional: bool = True,
    encoder_layers: int = 1,
    decoder_layers: int = 1,
    seed: int = 0,
) -> tuple[Transducer, TrainedTransducer]:
    """Weights as large as trained ones, so that answers differ; M is 12 or 6."""
    config = TransducerModelConfig(
        cell=cell,
        embedding_dim=10,
        attention=attention,
        tied=tied,
        encoder=EncoderConfig(
            hidden_size=6 if bidirectional else 12, num_layers=encoder_layers, bidirectional=bidirectional
        ),
        decoder=DecoderConfig(hidden_size=9, num_layers=decoder_layers),
    )
    model = Transducer(config, NUM_SOURCE, NUM_TARGET).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.5, generator=generator)
    weights = {
        name: array.numpy() for name, array in model.state_dict().items() if not (tied and name == "softmax.weight")
    }
    trained = TrainedTransducer(
        weights=weights,
        source=TrainedSide(tokens=[f"s{n}" for n in range(2, NUM_SOURCE)], tokenization="whitespace", max_tokens=20),
        target=TrainedSide(tokens=[f"t{n}" for n in range(2, NUM_TARGET)], tokenization="whitespace"),
        cell=cell,
        attention=attention,
        tied=tied,
    )
    return model, trained


def open_encode(folder: Path, trained: TrainedTransducer, *, table_dtype: str = "float32") -> Graph:
    folder.mkdir(exist_ok=True)
    sizes = trained.state_size, trained.memory_size
    return open_graph(folder, *build_encode(trained, table_dtype=table_dtype), *encode_signature(*sizes))


def open_decode(folder: Path, trained: TrainedTransducer, *, table_dtype: str = "float32") -> Graph:
    folder.mkdir(exist_ok=True)
    sizes = trained.state_size, trained.memory_size
    return open_graph(folder, *build_decode(trained, table_dtype=table_dtype), *decode_signature(*sizes))


def random_sources(generator: np.random.Generator, lengths: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Ids (B,S), anything beyond a row's end, and lengths (B,), both int32."""
    ids = generator.integers(0, NUM_SOURCE, (len(lengths), max(lengths))).astype(np.int32)
    return ids, np.array(lengths, np.int32)
