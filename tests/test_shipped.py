"""What the repository ships: the bundles in models/, as a user gets them."""

import json
from pathlib import Path

import pytest

from bundle.load import find_bundles, load_bundle
from bundle.tokenization import tokenize

MODELS = Path(__file__).parent.parent / "models"
MAX_TAGGER_BYTES = 40_000_000


@pytest.fixture(scope="module")
def tagger():
    return load_bundle(MODELS / "ner-en" / "1")


def names(tagger, text):
    """(surface, label) of each entity."""
    tokens = tokenize(text)
    (sentence,) = tagger.tag([[token.text for token in tokens]])
    return [(text[tokens[s.start].start : tokens[s.end - 1].end], s.label) for s, _ in sentence.entities()]


@pytest.mark.parametrize("folder", find_bundles(MODELS), ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_each_bundle_loads_is_reproducible_and_says_where_it_comes_from(folder):
    bundle = load_bundle(folder)  # checksums, golden answers, the same bits alone and in a batch
    manifest = bundle.manifest
    assert bundle.reproducible
    assert (manifest.name, manifest.version) == (folder.parent.name, folder.name)
    assert manifest.licence
    assert manifest.attribution
    assert all(source.licence for source in manifest.data)
    assert {entry.file for entry in manifest.extra_files} >= {"README.md", "curves.png"}


def test_the_tagger_is_small_enough():
    assert sum(path.stat().st_size for path in (MODELS / "ner-en" / "1").iterdir()) < MAX_TAGGER_BYTES


def test_only_shippable_data_is_in_it():
    manifest = json.loads((MODELS / "ner-en" / "1" / "manifest.json").read_text())
    assert not {source["name"] for source in manifest["data"]} & {"conll2003", "wikiann_en", "worldwide_newswire"}


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
