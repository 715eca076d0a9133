"""A trained encoder-decoder becomes a bundle's folder: two graphs, weights, vocabularies, golden answers, manifest."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from seqserve.entries import GoldenEntry, GraphEntry, VocabularyEntry
from seqserve.loading import load_bundle
from seqserve.manifest import write_manifest
from seqserve.signature import Signature
from seqserve.training.export.folder import (
    GOLDEN_FILE,
    WEIGHTS_FILE,
    Card,
    common_fields,
    file_entry,
    new_folder,
    write_card,
)
from seqserve.training.export.weights import num_parameters, save_graphs
from seqserve.training.transducers.decode_graph import build_decode
from seqserve.training.transducers.encode_graph import build_encode
from seqserve.training.transducers.trained import TrainedSide, TrainedTransducer
from seqserve.transducer.golden import record_golden
from seqserve.transducer.load import read_parts
from seqserve.transducer.manifest import (
    TransducerArchitecture,
    TransducerGraphs,
    TransducerLimits,
    TransducerManifest,
    TransducerTokenization,
    TransducerVocabularies,
)
from seqserve.transducer.signature import decode_signature, encode_signature
from seqserve.vocabulary.tokens import TokenVocabulary

ENCODE_FILE = "encode.onnx"
DECODE_FILE = "decode.onnx"
SOURCE_FILE = "source.txt"
TARGET_FILE = "target.txt"


def export_transducer(
    folder: Path,
    trained: TrainedTransducer,
    card: Card,
    golden: Sequence[str],
    *,
    table_dtype: str = "float16",
    tolerance: float = 1e-3,
) -> TransducerManifest:
    """Write the bundle ``folder``, in one step and only after it has been loaded and checked; it must not exist yet.

    ``golden``: texts whose greedy answers are recorded, none of them empty; ``tolerance``: how far log-probabilities
    may differ from them on another machine. ``table_dtype`` (float32 or float16): of all matrices. Raises ValueError
    when the parts do not fit each other, FileExistsError, and BundleError when the written bundle does not load.
    """
    trained.check()
    with new_folder(folder) as work:
        graphs = {
            ENCODE_FILE: build_encode(trained, table_dtype=table_dtype),
            DECODE_FILE: build_decode(trained, table_dtype=table_dtype),
        }
        save_graphs(work, weights_file=WEIGHTS_FILE, graphs=graphs)
        for name, side in ((SOURCE_FILE, trained.source), (TARGET_FILE, trained.target)):
            TokenVocabulary(side.tokens, steps=side.lookup, name=name).write(work / name)
        write_card(work, card)
        manifest = _manifest(work, trained, card)
        manifest = msgspec.structs.replace(manifest, golden=_write_golden(work, manifest, golden, tolerance=tolerance))
        write_manifest(work, manifest)
        if not load_bundle(work).reproducible:
            manifest = msgspec.structs.replace(manifest, reproducible=False)
            write_manifest(work, manifest)
    return manifest


def _manifest(folder: Path, trained: TrainedTransducer, card: Card) -> TransducerManifest:
    sizes = trained.state_size, trained.memory_size
    sides = {"source": trained.source, "target": trained.target}
    tokenization = {key: {"name": side.tokenization, "lookup": list(side.lookup)} for key, side in sides.items()}
    return TransducerManifest(
        **common_fields(folder, card),
        architecture=_architecture(trained),
        graphs=TransducerGraphs(
            encode=_graph_entry(folder, ENCODE_FILE, encode_signature(*sizes)),
            decode=_graph_entry(folder, DECODE_FILE, decode_signature(*sizes)),
        ),
        vocabularies=TransducerVocabularies(
            source=_vocabulary_entry(folder, SOURCE_FILE, trained.source),
            target=_vocabulary_entry(folder, TARGET_FILE, trained.target),
        ),
        tokenization=msgspec.convert(tokenization, TransducerTokenization),
        limits=TransducerLimits(max_source_tokens=trained.source.max_tokens),
    )


def _vocabulary_entry(folder: Path, name: str, side: TrainedSide) -> VocabularyEntry:
    size = len(TokenVocabulary(side.tokens))
    return VocabularyEntry(**msgspec.structs.asdict(file_entry(folder, name)), size=size)


def _graph_entry(folder: Path, name: str, signature: Signature) -> GraphEntry:
    inputs, outputs = signature
    return GraphEntry(**msgspec.structs.asdict(file_entry(folder, name)), inputs=inputs, outputs=outputs)


def _architecture(trained: TrainedTransducer) -> TransducerArchitecture:
    hidden_sizes = trained.decoder().hidden_sizes()
    fields: dict[str, Any] = {
        "cell": trained.cell,
        "attention": trained.attention,
        "embedding_dim": trained.weights["target_embedding.weight"].shape[1],
        "encoder_layers": trained.num_encoder_layers(),
        "encoder_size": trained.encoder_size(),
        "bidirectional": len(trained.directions(0)) == 2,
        "decoder_layers": len(hidden_sizes),
        "decoder_size": hidden_sizes[0],
        "tied": trained.tied,
        "state_size": trained.state_size,
        "memory_size": trained.memory_size,
        "num_parameters": num_parameters(trained.weights),
    }
    return msgspec.convert(fields, TransducerArchitecture)


def _write_golden(folder: Path, manifest: TransducerManifest, texts: Sequence[str], *, tolerance: float) -> GoldenEntry:
    """Answer texts with the bundle's own graphs and write the answers."""
    bundle = read_parts(folder, manifest).open(folder)
    most = manifest.limits.max_source_tokens
    rows = [ids[:most] for text in texts if len(ids := bundle.source_ids(text))]
    content = msgspec.json.encode(record_golden(bundle, [np.ascontiguousarray(row) for row in rows]))
    (folder / GOLDEN_FILE).write_bytes(content + b"\n")
    return GoldenEntry(**msgspec.structs.asdict(file_entry(folder, GOLDEN_FILE)), tolerance=tolerance)
