"""Write a trained language model as a bundle: two graphs, weights, vocabulary, golden answers, manifest."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from seqserve.entries import Tokenization
from seqserve.language.golden import record_golden
from seqserve.language.load import read_parts
from seqserve.language.manifest import (
    LanguageModelArchitecture,
    LanguageModelGraphs,
    LanguageModelLimits,
    LanguageModelManifest,
    LanguageModelVocabularies,
)
from seqserve.language.signature import score_signature, step_signature
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
from seqserve.training.export.language_model import TrainedLanguageModel
from seqserve.training.export.weights import num_parameters, save_graphs
from seqserve.training.language.score_graph import build_score
from seqserve.training.language.step_graph import build_step
from seqserve.vocabulary.tokens import TokenVocabulary

SCORE_FILE = "score.onnx"
STEP_FILE = "step.onnx"
TOKENS_FILE = "tokens.txt"

_ROWS = 16  # of a run, at most
_NUMBERS = 2**24  # in a run's array of log-probabilities, at most: 64 MiB
_SHORTEST_CHUNK, _LONGEST_CHUNK = 16, 256


def export_language_model(
    folder: Path,
    trained: TrainedLanguageModel,
    card: Card,
    golden: Sequence[str],
    *,
    table_dtype: str = "float16",
    replace: bool = False,
) -> LanguageModelManifest:
    """Write the bundle `folder`, in one step and only after it has been loaded and checked.

    `golden`: texts whose scores are recorded, none of them empty. `table_dtype` (float32 or float16): of the embedding
    and the softmax. Raises ValueError when the parts do not fit each other, FileExistsError, and BundleError when the
    written bundle does not load.
    """
    trained.check()
    with new_folder(folder, replace=replace) as work:
        save_graphs(
            work,
            weights_file=WEIGHTS_FILE,
            graphs={
                SCORE_FILE: build_score(trained, table_dtype=table_dtype),
                STEP_FILE: build_step(trained, table_dtype=table_dtype),
            },
        )
        TokenVocabulary(trained.tokens, steps=trained.lookup).write(work / TOKENS_FILE)
        write_card(work, card)
        manifest = _manifest(work, trained, card)
        bundle = read_parts(work, manifest).open(work)
        return finish(work, manifest, record_golden(bundle, [bundle.encode(text).ids for text in golden]))


def chunk_tokens(num_ids: int) -> int:
    """Return the longest row of a scoring run, so that its array of log-probabilities stays within bounds."""
    return min(_LONGEST_CHUNK, max(_SHORTEST_CHUNK, _NUMBERS // (_ROWS * num_ids)))


def _manifest(folder: Path, trained: TrainedLanguageModel, card: Card) -> LanguageModelManifest:
    state_size = sum(trained.part_sizes())
    tokenization = {"name": trained.tokenization, "lookup": list(trained.lookup)}
    return LanguageModelManifest(
        **common_fields(folder, card),
        architecture=_architecture(trained),
        graphs=LanguageModelGraphs(
            score=graph_entry(folder, SCORE_FILE, score_signature(state_size)),
            step=graph_entry(folder, STEP_FILE, step_signature(state_size)),
        ),
        vocabularies=LanguageModelVocabularies(tokens=vocabulary_entry(folder, TOKENS_FILE, trained.num_ids)),
        tokenization=msgspec.convert(tokenization, Tokenization),
        limits=LanguageModelLimits(max_chunk_tokens=chunk_tokens(trained.num_ids)),
        ends_sentences=trained.ends_sentences,
        texts=trained.texts,
    )


def _architecture(trained: TrainedLanguageModel) -> LanguageModelArchitecture:
    weights = trained.weights
    fields: dict[str, Any] = {
        "cell": trained.cell,
        "level": trained.level,
        "num_layers": len(trained.layers()),
        "embedding_dim": weights["embedding.weight"].shape[1],
        "hidden_size": trained.hidden_sizes()[0],
        "projection_dim": len(weights.get("projection.weight", ())),
        "tied": trained.tied,
        "softmax": trained.softmax,
        "cutoffs": list(trained.cutoffs),
        "state_size": sum(trained.part_sizes()),
        "num_parameters": num_parameters(weights),
    }
    return msgspec.convert(fields, LanguageModelArchitecture)
