"""Write a tagger's bundle with its LSTMs in int8; graph, weights and answers are new, vocabularies are copied."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from seqserve.loading import load_bundle
from seqserve.tagger.load import Golden
from seqserve.tagger.manifest import TaggerManifest
from seqserve.tagger.model import TaggerBundle
from seqserve.training.export.folder import CURVES_FILE, WEIGHTS_FILE, file_entry, finish, graph_entry
from seqserve.training.export.int8 import quantize_lstms
from seqserve.training.export.weights import save_graphs
from seqserve.training.taggers.bundle import GRAPH_FILE, record_golden

TOLERANCE = 0.05
"""How far a recorded probability may be off: int8 itself moves the scores of ner-en's names by 0.03 to 0.08 at most on
each dev set, by 0.003 on average; another machine only rounds differently."""


def write_int8_tagger(source: Path, work: Path, *, name: str, created: str) -> TaggerManifest:
    """Write the int8 variant of the bundle `source` into the empty folder `work`; its card is still missing.

    Its manifest says `reproducible: false`, because scales come from the whole batch. Raises BundleError when the
    source is not a tagger's bundle or the result does not load; ValueError when it has no LSTM, or when no recorded
    answer is certain enough to be recorded again.
    """
    original = load_bundle(source, TaggerBundle)
    manifest = original.manifest
    tagger = manifest.graphs.tagger
    graph = quantize_lstms(source / tagger.file)
    save_graphs(work, weights_file=WEIGHTS_FILE, graphs={GRAPH_FILE: graph})
    vocabularies = manifest.vocabularies
    copied = [entry.file for entry in (vocabularies.words, vocabularies.characters, vocabularies.tags)]
    curves = [entry.file for entry in manifest.extra_files if entry.file == CURVES_FILE]
    for file in [*copied, *curves]:
        shutil.copyfile(source / file, work / file)
    manifest = msgspec.structs.replace(
        manifest,
        name=name,
        created=created,
        description=f"{manifest.description}; int8",
        graphs=msgspec.structs.replace(
            manifest.graphs, tagger=graph_entry(work, GRAPH_FILE, (tagger.inputs, tagger.outputs))
        ),
        weights=file_entry(work, WEIGHTS_FILE),
        metrics={},  # those of the source are not this one's
        reproducible=False,
        extra_files=[file_entry(work, file) for file in curves],
    )
    recorded = msgspec.json.decode((source / manifest.golden.file).read_bytes(), type=Golden).sentences
    return finish(work, manifest, record_golden(work, manifest, _sure(original, recorded)), tolerance=TOLERANCE)


def _sure(bundle: TaggerBundle, sentences: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """Return those of the sentences whose tags stay the same if every probability moves by TOLERANCE."""
    kept = []
    for sentence, answer in zip(sentences, bundle.tag(sentences), strict=True):
        best_two = np.sort(answer.tag_probs, axis=1)[:, -2:]
        if (best_two[:, 1] - best_two[:, 0]).min() > 2 * TOLERANCE:
            kept.append(sentence)
    if not kept:
        raise ValueError("no recorded sentence is tagged with enough certainty to be recorded in int8")
    return kept
