"""A trained tagger becomes a bundle's folder: graph, weights, vocabularies, golden answers, card, manifest."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from bundle.graph import Graph
from bundle.load import load_bundle
from bundle.load_tagger import Golden
from bundle.manifest import (
    Architecture,
    GoldenEntry,
    GraphEntry,
    Graphs,
    Limits,
    LookupStep,
    TaggerManifest,
    Tensor,
    Tokenization,
    Vocabularies,
    VocabularyEntry,
    sha256_of,
    write_manifest,
)
from bundle.tagger import TaggedSentence, TaggerBundle
from bundle.tags import make_tags
from bundle.vocabulary import LOOKUP_STEPS, CharacterVocabulary, WordVocabulary, write_words
from training.export.folder import (
    GOLDEN_FILE,
    WEIGHTS_FILE,
    Card,
    common_fields,
    file_entry,
    new_folder,
    write_card,
)
from training.export.tagger import TaggerOptions, build_tagger
from training.export.weights import Arrays, num_parameters, save_graph

GRAPH_FILE = "tagger.onnx"
WORDS_FILE = "words.txt"
CHARACTERS_FILE = "chars.txt"
TAGS_FILE = "labels.txt"

_DECIMALS = 6  # of recorded probabilities


@dataclass(frozen=True, kw_only=True)
class TrainedTagger:
    """A tagger as training leaves it.

    weights: its state dict as arrays. forms, characters: in the order of their ids, which is that of their UTF-8
    bytes; the first has id 2. lookup: how tokens are looked up. limits: of a word and of a sentence.
    """

    weights: Arrays
    forms: Sequence[str]
    characters: Sequence[str]
    labels: Sequence[str]
    scheme: Literal["BIO", "BIOES"] = "BIOES"
    lookup: Sequence[str] = LOOKUP_STEPS
    max_word_chars: int = 32
    max_sentence_tokens: int = 256


def export_tagger(
    folder: Path,
    trained: TrainedTagger,
    card: Card,
    golden: Sequence[Sequence[str]],
    *,
    table_dtype: str = "float16",
    fold: Sequence[bool] | None = None,
    tolerance: float = 1e-3,
) -> TaggerManifest:
    """Write the bundle ``folder``, in one step and only after it has been loaded and checked; it must not exist yet.

    ``golden``: sentences of tokens whose answers are recorded; ``tolerance``: how far probabilities may differ from
    them on another machine. ``table_dtype``, ``fold``: see TaggerOptions. Raises ValueError when the parts do not
    fit each other, FileExistsError, and BundleError when the written bundle does not load.
    """
    _check(trained, golden)
    with new_folder(folder) as work:
        options = TaggerOptions(make_tags(trained.labels, trained.scheme), trained.scheme, table_dtype, fold)
        model, tensors = build_tagger(trained.weights, options)
        save_graph(work, graph_file=GRAPH_FILE, weights_file=WEIGHTS_FILE, model=model, tensors=tensors)
        _write_texts(work, trained, card, options.tags)
        manifest = _manifest(work, trained, card)
        golden_entry = _record_golden(work, manifest, golden, tolerance=tolerance)
        manifest = msgspec.structs.replace(manifest, golden=golden_entry)
        write_manifest(work, manifest)
        if not load_bundle(work).reproducible:
            manifest = msgspec.structs.replace(manifest, reproducible=False)
            write_manifest(work, manifest)
    return manifest


def _check(trained: TrainedTagger, golden: Sequence[Sequence[str]]) -> None:
    for what, entries in (("forms", trained.forms), ("characters", trained.characters)):
        encoded = [entry.encode("utf-8") for entry in entries]
        if any(before >= after for before, after in itertools.pairwise(encoded)):
            raise ValueError(f"{what} are not in the order of their UTF-8 bytes, or one is there twice")
    sizes = {name: len(rows) for name, rows in trained.weights.items() if name.endswith("rows")}
    for name, size in sizes.items():
        if size != len(trained.forms) + 2:
            raise ValueError(f"{name} maps {size} word ids, but there are {len(trained.forms) + 2} ids")
    embedding = trained.weights.get("characters.embedding.weight")
    if embedding is not None and len(embedding) != len(trained.characters) + 2:
        raise ValueError(
            f"characters.embedding.weight has {len(embedding)} rows, but there are {len(trained.characters) + 2} ids"
        )
    if not golden or not all(golden):
        raise ValueError("golden needs at least one sentence, and every sentence at least one token")


def _write_texts(folder: Path, trained: TrainedTagger, card: Card, tags: Sequence[str]) -> None:
    write_words(folder / WORDS_FILE, trained.forms)
    CharacterVocabulary.from_characters(trained.characters).write(folder / CHARACTERS_FILE)
    (folder / TAGS_FILE).write_text("".join(f"{tag}\n" for tag in tags), encoding="utf-8", newline="\n")
    write_card(folder, card)


def _manifest(folder: Path, trained: TrainedTagger, card: Card) -> TaggerManifest:
    def vocabulary(name: str, size: int) -> VocabularyEntry:
        return VocabularyEntry(**msgspec.structs.asdict(file_entry(folder, name)), size=size)

    tags = make_tags(trained.labels, trained.scheme)
    inputs, outputs = signature(len(tags))
    return TaggerManifest(
        **common_fields(folder, card),
        architecture=_architecture(trained),
        graphs=Graphs(
            tagger=GraphEntry(**msgspec.structs.asdict(file_entry(folder, GRAPH_FILE)), inputs=inputs, outputs=outputs)
        ),
        vocabularies=Vocabularies(
            words=vocabulary(WORDS_FILE, len(trained.forms) + 2),
            characters=vocabulary(CHARACTERS_FILE, len(trained.characters) + 2),
            tags=vocabulary(TAGS_FILE, len(tags)),
        ),
        tokenization=Tokenization(name="seqserve-en-1", lookup=msgspec.convert(list(trained.lookup), list[LookupStep])),
        limits=Limits(max_word_chars=trained.max_word_chars, max_sentence_tokens=trained.max_sentence_tokens),
    )


def signature(num_tags: int) -> tuple[list[Tensor], list[Tensor]]:
    """Return what a tagger's graph takes and gives, as the manifest says it."""
    inputs = [
        Tensor(name="words", dtype="int32", shape=["B", "T"]),
        Tensor(name="chars", dtype="int32", shape=["B", "T", "L"]),
        Tensor(name="lengths", dtype="int32", shape=["B"]),
    ]
    outputs = [
        Tensor(name="tags", dtype="int32", shape=["B", "T"]),
        Tensor(name="tag_probs", dtype="float32", shape=["B", "T", num_tags]),
        Tensor(name="span_probs", dtype="float32", shape=["B", "T"]),
    ]
    return inputs, outputs


def _architecture(trained: TrainedTagger) -> Architecture:
    weights = trained.weights
    kind: Literal["cnn", "lstm", "none"] = "none"
    if "characters.convolution.weight" in weights:
        kind = "cnn"
    elif "characters.embedding.weight" in weights:
        kind = "lstm"
    return Architecture(
        cell="lstm",
        num_layers=len({name.split(".")[2] for name in weights if name.startswith("encoder.layers.")}),
        hidden_size=weights["encoder.layers.0.forward_lstm.weight_hh_l0"].shape[1],
        bidirectional=True,
        characters=kind,
        head="crf",
        num_parameters=num_parameters(weights),
        scheme=trained.scheme,
        labels=list(trained.labels),
    )


def _record_golden(
    folder: Path, manifest: TaggerManifest, sentences: Sequence[Sequence[str]], *, tolerance: float
) -> GoldenEntry:
    """Tag the sentences with the bundle's own graph and write the answers."""
    bundle = TaggerBundle(
        manifest,
        make_tags(manifest.architecture.labels, manifest.architecture.scheme),
        WordVocabulary.read(folder / WORDS_FILE, manifest.tokenization.lookup),
        CharacterVocabulary.read(folder / CHARACTERS_FILE),
        Graph.open(folder / GRAPH_FILE, manifest.graphs.tagger),
    )
    path = folder / GOLDEN_FILE
    path.write_bytes(msgspec.json.encode(golden_of(sentences, bundle.tag(sentences))) + b"\n")
    return GoldenEntry(file=path.name, sha256=sha256_of(path), bytes=path.stat().st_size, tolerance=tolerance)


def golden_of(sentences: Sequence[Sequence[str]], answers: Sequence[TaggedSentence]) -> Golden:
    """Return sentences and answers as they are recorded, probabilities rounded."""
    return Golden(
        sentences=[list(sentence) for sentence in sentences],
        tags=[list(answer.tags) for answer in answers],
        tag_probs=[np.round(answer.tag_probs.astype(np.float64), _DECIMALS).tolist() for answer in answers],
        span_probs=[np.round(answer.span_probs.astype(np.float64), _DECIMALS).tolist() for answer in answers],
    )
