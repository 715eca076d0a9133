"""Write a trained encoder-decoder as a bundle: two graphs, weights, vocabularies, golden answers, manifest."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from seqserve.training.export.folder import (
    WEIGHTS_FILE,
    Card,
    common_fields,
    finish,
    graph_entry,
    new_folder,
    vocabulary_entry,
    write_card,
)
from seqserve.training.export.weights import num_parameters, save_graphs
from seqserve.training.transducers.decode_graph import build_decode
from seqserve.training.transducers.encode_graph import build_encode
from seqserve.training.transducers.trained import TrainedTransducer
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
from seqserve.vocabulary.tokens import FIRST_ID, TokenVocabulary

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
    replace: bool = False,
) -> TransducerManifest:
    """Write the bundle `folder`, in one step and only after it has been loaded and checked.

    `golden`: texts whose greedy answers are recorded, none of them empty. Matrices are stored as float16. Raises
    ValueError when the parts do not fit each other, FileExistsError, and BundleError when the written bundle does not
    load.
    """
    trained.check()
    with new_folder(folder, replace=replace) as work:
        graphs = {ENCODE_FILE: build_encode(trained), DECODE_FILE: build_decode(trained)}
        save_graphs(work, weights_file=WEIGHTS_FILE, graphs=graphs)
        for name, side in ((SOURCE_FILE, trained.source), (TARGET_FILE, trained.target)):
            TokenVocabulary(side.tokens, steps=side.lookup, name=name).write(work / name)
        write_card(work, card)
        manifest = _manifest(work, trained, card)
        bundle = read_parts(work, manifest).open(work)
        rows = [ids[: trained.source.max_tokens] for text in golden if len(ids := bundle.source_ids(text))]
        return finish(work, manifest, record_golden(bundle, [np.ascontiguousarray(row) for row in rows]))


def _manifest(folder: Path, trained: TrainedTransducer, card: Card) -> TransducerManifest:
    sizes = trained.state_size, trained.memory_size
    sides = {"source": trained.source, "target": trained.target}
    tokenization = {key: {"name": side.tokenization, "lookup": list(side.lookup)} for key, side in sides.items()}
    return TransducerManifest(
        **common_fields(folder, card),
        architecture=_architecture(trained),
        graphs=TransducerGraphs(
            encode=graph_entry(folder, ENCODE_FILE, encode_signature(*sizes)),
            decode=graph_entry(folder, DECODE_FILE, decode_signature(*sizes)),
        ),
        vocabularies=TransducerVocabularies(
            source=vocabulary_entry(folder, SOURCE_FILE, len(trained.source.tokens) + FIRST_ID),
            target=vocabulary_entry(folder, TARGET_FILE, len(trained.target.tokens) + FIRST_ID),
        ),
        tokenization=msgspec.convert(tokenization, TransducerTokenization),
        limits=TransducerLimits(max_source_tokens=trained.source.max_tokens),
    )


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
