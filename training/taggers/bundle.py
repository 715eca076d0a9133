"""Write a trained tagger as a bundle: graph, weights, vocabularies, golden answers, card, manifest."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from seqserve.entries import CellName, LookupStep
from seqserve.tagger.load import Golden, read_parts, tagger_signature
from seqserve.tagger.manifest import (
    TaggerArchitecture,
    TaggerCalibration,
    TaggerGraphs,
    TaggerLimits,
    TaggerManifest,
    TaggerTokenization,
    TaggerVocabularies,
)
from seqserve.tagger.model import TaggerBundle
from seqserve.tagger.tags import make_tags
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
from seqserve.training.export.reader import (
    CHARACTERS_FILE,
    WORDS_FILE,
    check_vocabularies,
    reader_architecture,
    write_vocabularies,
)
from seqserve.training.export.weights import Arrays, num_parameters, save_graphs
from seqserve.training.taggers.calibration import DevSet, calibrate, with_table
from seqserve.training.taggers.graph import TaggerOptions, build_tagger
from seqserve.vocabulary.words import LOOKUP_STEPS

GRAPH_FILE = "tagger.onnx"
TAGS_FILE = "labels.txt"

_DECIMALS = 6  # of recorded probabilities


@dataclass(frozen=True, kw_only=True)
class TrainedTagger:
    """A tagger as training leaves it.

    weights: its state dict as arrays. forms, characters: in the order of their ids, which is that of their UTF-8
    bytes; the first has id 2. span_edges: see TaggerTokenization.
    """

    weights: Arrays
    forms: Sequence[str]
    characters: Sequence[str]
    labels: Sequence[str]
    cell: CellName = "lstm"
    scheme: Literal["BIO", "BIOES"] = "BIOES"
    max_word_chars: int = 32
    max_sentence_tokens: int = 256
    span_edges: Sequence[str] | None = None


def export_tagger(
    folder: Path,
    trained: TrainedTagger,
    card: Card,
    golden: Sequence[Sequence[str]],
    *,
    dev: Sequence[DevSet] = (),
    table_dtype: str = "float16",
    replace: bool = False,
) -> TaggerManifest:
    """Write the bundle `folder`, in one step and only after it has been loaded and checked.

    `golden`: sentences of tokens whose answers are recorded. `dev`: what scores are calibrated on; empty: they are not.
    `table_dtype`: see TaggerOptions. Raises ValueError when the parts do not fit each other, FileExistsError, and
    BundleError when the written bundle does not load.
    """
    check_vocabularies(trained.weights, trained.forms, trained.characters)
    if not golden or not all(golden):
        raise ValueError("golden needs at least one sentence, and every sentence at least one token")
    tags = make_tags(trained.labels, trained.scheme)
    options = TaggerOptions(tags, trained.scheme, trained.cell, table_dtype)
    with new_folder(folder, replace=replace) as work:

        def written(options: TaggerOptions) -> TaggerManifest:
            graph = build_tagger(trained.weights, options)
            save_graphs(work, weights_file=WEIGHTS_FILE, graphs={GRAPH_FILE: graph})
            return _manifest(work, trained, card)

        def open_at(temperature: float) -> TaggerBundle:
            manifest = written(dataclasses.replace(options, temperature=temperature))
            return read_parts(work, manifest).open(work)

        write_vocabularies(work, trained.forms, trained.characters)
        (work / TAGS_FILE).write_text("".join(f"{tag}\n" for tag in tags), encoding="utf-8", newline="\n")
        calibration: TaggerCalibration | msgspec.UnsetType = msgspec.UNSET
        if any(each.weight for each in dev):
            calibration = calibrate(open_at, dev)
            card = dataclasses.replace(card, readme=with_table(card.readme, calibration))
            options = dataclasses.replace(options, temperature=calibration.temperature)
        write_card(work, card)
        manifest = msgspec.structs.replace(written(options), calibration=calibration)
        return finish(work, manifest, record_golden(work, manifest, golden))


def _manifest(folder: Path, trained: TrainedTagger, card: Card) -> TaggerManifest:
    tags = make_tags(trained.labels, trained.scheme)
    return TaggerManifest(
        **common_fields(folder, card),
        architecture=TaggerArchitecture(
            **reader_architecture(trained.weights, trained.cell),
            head="crf",
            num_parameters=num_parameters(trained.weights),
            scheme=trained.scheme,
            labels=list(trained.labels),
        ),
        graphs=TaggerGraphs(tagger=graph_entry(folder, GRAPH_FILE, tagger_signature(len(tags)))),
        vocabularies=TaggerVocabularies(
            words=vocabulary_entry(folder, WORDS_FILE, len(trained.forms) + 2),
            characters=vocabulary_entry(folder, CHARACTERS_FILE, len(trained.characters) + 2),
            tags=vocabulary_entry(folder, TAGS_FILE, len(tags)),
        ),
        tokenization=TaggerTokenization(
            name="seqserve-en-1",
            lookup=msgspec.convert(list(LOOKUP_STEPS), list[LookupStep]),
            span_edges=msgspec.UNSET if trained.span_edges is None else list(trained.span_edges),
        ),
        limits=TaggerLimits(max_word_chars=trained.max_word_chars, max_sentence_tokens=trained.max_sentence_tokens),
    )


def record_golden(folder: Path, manifest: TaggerManifest, sentences: Sequence[Sequence[str]]) -> Golden:
    """Tag the sentences with the graph in a folder that lacks nothing but its manifest, and return the answers."""
    answers = read_parts(folder, manifest).open(folder).tag(sentences)

    def rounded(probs: NDArray[np.float32]) -> list[Any]:
        return np.round(probs.astype(np.float64), _DECIMALS).tolist()

    return Golden(
        sentences=[list(sentence) for sentence in sentences],
        tags=[list(answer.tags) for answer in answers],
        tag_probs=[rounded(answer.tag_probs) for answer in answers],
        span_probs=[rounded(answer.span_probs) for answer in answers],
    )
