"""What the repository ships: the bundles in models/, as a user gets them."""

import json
import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from seqserve.classifier.model import ClassifierBundle
from seqserve.entries import CellName
from seqserve.language.model import LanguageModelBundle, StepBatch
from seqserve.loading import find_bundles, load_bundle
from seqserve.text.tokenization import tokenize
from seqserve.training.corpora import known_corpora
from seqserve.vocabulary.tokens import EOS_ID, START_ID, UNKNOWN_ID

MODELS = Path(__file__).parent.parent / "models"
MAX_TAGGER_BYTES = 40_000_000
TAGGERS = ["ner-en", "ner-en-int8", "ner-en-small"]
INT8 = {"ner-en-int8"}
"""Bundles whose rows change with their batch, and say so."""

MAX_LANGUAGE_MODELS_BYTES = 120_000_000
MAX_FILE_BYTES = 60_000_000
OF_EACH_CELL = [f"lm-char-words-{cell}" for cell in sorted(get_args(CellName))]
LANGUAGE_MODELS = ["lm-char-en", "lm-char-names", "lm-char-shakespeare", "lm-char-tang", *OF_EACH_CELL, "lm-en"]


@pytest.fixture(scope="module")
def tagger():
    return load_bundle(MODELS / "ner-en" / "2")


def names(tagger, text):
    """(surface, label) of each entity."""
    tokens = tokenize(text)
    (sentence,) = tagger.tag([[token.text for token in tokens]])
    return [(text[tokens[s.start].start : tokens[s.end - 1].end], s.label) for s, _ in sentence.entities()]


@pytest.mark.parametrize("folder", find_bundles(MODELS), ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_each_bundle_loads_says_whether_it_is_reproducible_and_where_it_comes_from(folder):
    bundle = load_bundle(folder)  # checksums, golden answers, the same bits alone and in a batch
    manifest = bundle.manifest
    assert bundle.reproducible == manifest.reproducible == (manifest.name not in INT8)
    assert (manifest.name, manifest.version) == (folder.parent.name, folder.name)
    assert manifest.licence
    assert manifest.attribution
    assert all(source.licence for source in manifest.data)
    assert {entry.file for entry in manifest.extra_files} >= {"README.md", "curves.png"}


@pytest.mark.parametrize("name", TAGGERS)
def test_the_taggers_are_small_enough(name):
    (folder,) = (MODELS / name).iterdir()
    assert sum(path.stat().st_size for path in folder.iterdir()) < MAX_TAGGER_BYTES


def test_a_tagger_that_nobody_named_is_the_reproducible_one():
    taggers = [path.parent.name for path in find_bundles(MODELS) if path.parent.name.startswith("ner-")]
    assert taggers == TAGGERS


@pytest.mark.parametrize(("name", "most_f1_lost"), [("ner-en-int8", 0.005), ("ner-en-small", 0.025)])
def test_the_faster_taggers_are_nearly_as_good_and_find_the_same_names(tagger, name, most_f1_lost):
    (folder,) = (MODELS / name).iterdir()
    variant = load_bundle(folder)
    assert variant.manifest.licence == tagger.manifest.licence
    assert variant.manifest.attribution == tagger.manifest.attribution
    assert variant.manifest.metrics.keys() == tagger.manifest.metrics.keys()
    for corpus, values in variant.manifest.metrics.items():
        assert values["f1"] > tagger.manifest.metrics[corpus]["f1"] - most_f1_lost
    for text in ("Harry Potter and Hermione Granger invented a new spell.", "angela merkel flew to paris yesterday"):
        assert names(variant, text) == names(tagger, text) != []


@pytest.mark.parametrize("folder", find_bundles(MODELS), ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_only_shippable_data_is_in_it(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    barred = {corpus.name for corpus in known_corpora() if not (corpus.ship or corpus.ship_text)}
    assert not {source["name"] for source in manifest["data"]} & barred


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('He said, "Teddy Roosevelt was a great President."', [("Teddy Roosevelt", "PER")]),
        ('He said, "Teddy bears are on sale!"', []),
        (
            "Harry Potter and Hermione Granger invented a new spell.",
            [("Harry Potter", "PER"), ("Hermione Granger", "PER")],
        ),
    ],
    ids=["roosevelt", "bears", "two-names"],
)
def test_the_notes_sentences(tagger, text, expected):
    assert names(tagger, text) == expected


def test_lower_case_names_are_found(tagger):
    assert ("angela merkel", "PER") in names(tagger, "angela merkel flew to paris yesterday")
    assert ("paris", "LOC") in names(tagger, "angela merkel flew to paris yesterday")


def test_metrics_of_the_manifest_are_those_of_the_run(tagger):
    assert set(tagger.manifest.metrics) >= {"dev uner_ewt/dev.conll", "dev wikigold/dev.conll"}
    assert all(0.5 < values["f1"] < 1 for values in tagger.manifest.metrics.values())


@pytest.fixture(scope="module")
def words():
    return load_bundle(MODELS / "lm-en" / "1", LanguageModelBundle)


def log_prob(model, text):
    """log P of a text and <EOS>, natural, summed in float64."""
    (scored,) = model.score([[*model.encode(text).ids, EOS_ID]])
    return float(scored.log_probs.astype(np.float64).sum())


def test_the_language_models_are_there_and_small_enough():
    shipped = [path.parent.name for path in find_bundles(MODELS)]
    assert [name for name in shipped if name.startswith("lm-")] == LANGUAGE_MODELS
    sizes = [path.stat().st_size for name in LANGUAGE_MODELS for path in (MODELS / name / "1").iterdir()]
    assert sum(sizes) < MAX_LANGUAGE_MODELS_BYTES
    assert max(sizes) < MAX_FILE_BYTES


def test_the_word_model_knows_enough_words(words):
    assert len(words.vocabulary) >= 30_000


def test_a_text_of_unknown_words_alone_is_possible(words):
    assert words.encode("zzqxv blorptag").ids == [UNKNOWN_ID, UNKNOWN_ID]
    assert -100 < log_prob(words, "zzqxv blorptag") < 0


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("The apple and pear salad", "The apple and pair salad"),
        ("The cats , which already ate , were full .", "The cats , which already ate , was full ."),
        ("The cat , which already ate , was full .", "The cat , which already ate , were full ."),
    ],
    ids=["pear", "cats", "cat"],
)
def test_the_notes_preferences(words, good, bad):
    assert log_prob(words, good) > log_prob(words, bad)


def drawn(model, seed, *, max_tokens=100):
    """The text of one sample without <UNK>, and whether it ended by itself."""
    uniforms = np.random.default_rng(seed).random(max_tokens, dtype=np.float32)
    previous, state, forms = START_ID, model.zero_state()[None], []
    one = np.ones(1, np.float32)
    for uniform in uniforms:
        result = model.run_step(
            StepBatch(
                previous_ids=np.array([previous], np.int32),
                state=state,
                uniforms=one * min(uniform, np.float32(0.999999)),
                temperatures=one,
                top_ks=np.zeros(1, np.int32),
                top_ps=one,
                min_ps=0 * one,
                repetition_penalties=one,
                banned_ids=np.array([[UNKNOWN_ID]], np.int32),
                repeated_ids=np.array([[-1]], np.int32),
            )
        )
        previous, state = int(result.next_ids[0]), result.state
        if previous == EOS_ID:
            return "".join(forms), True
        forms.append(model.vocabulary.form_of(previous))
    return "".join(forms), False


@pytest.mark.parametrize("name", OF_EACH_CELL)
def test_every_cell_of_the_notes_is_shipped_and_writes_for_a_class(name):
    model = load_bundle(MODELS / name / "1", LanguageModelBundle)
    assert name == f"lm-char-words-{model.manifest.architecture.cell}"
    drawn_classes = {drawn(model, seed)[0].partition(":")[0] for seed in range(12)}
    assert drawn_classes == {"name", "dino"}


@pytest.mark.parametrize(
    ("text", "label"),
    [("where have you been", "question"), ("I was at home", "statement"), ("IS THIS THE TRAIN TO LONDON", "question")],
)
def test_questions_are_told_from_statements(text, label):
    bundle = load_bundle(MODELS / "question-en" / "1")
    assert isinstance(bundle, ClassifierBundle)
    (probs,) = bundle.classify([bundle.tokenize(text)])
    assert bundle.labels[int(probs.argmax())] == label


def test_names_are_short_words_of_letters():
    model = load_bundle(MODELS / "lm-char-names" / "1", LanguageModelBundle)
    names = [drawn(model, seed) for seed in range(20)]
    assert all(ended and 2 <= len(name) <= 20 and name.isalpha() and name.islower() for name, ended in names)
    assert len({name for name, _ in names}) > 15


def test_quatrains_have_lines_of_one_length():
    model = load_bundle(MODELS / "lm-char-tang" / "1", LanguageModelBundle)
    regular = 0
    for seed in range(10):
        poem, ended = drawn(model, seed)
        lines = [line for line in re.split("[，。！？；、]", poem) if line]
        regular += ended and len(lines) == 4 and {len(line) for line in lines} in ({5}, {7})
    assert regular >= 7
