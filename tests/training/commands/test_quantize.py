"""`seqserve train quantize`, as a user gives it, on a tagger that knows its twenty sentences."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from seqserve.loading import load_bundle
from seqserve.manifest import read_manifest
from seqserve.tagger.load import Golden
from seqserve.tagger.model import TaggerBundle
from seqserve.training.__main__ import main
from seqserve.training.load_config import config_table
from seqserve.training.reading.conll import read_conll
from seqserve.training.taggers import int8 as int8_tagger
from tests.training.tiny import FIXTURES, tiny_config

TINY = Path(__file__).parents[2] / "fixtures" / "bundles" / "tiny-ner" / "1"
LANGUAGE_MODEL = Path(__file__).parents[3] / "models" / "lm-char-names" / "1"


@pytest.fixture
def models(tmp_path):
    assert main(["quantize", str(TINY), "--to", str(tmp_path / "models")]) == 0
    return tmp_path / "models"


def test_the_bundle_loads_and_finds_the_same_names(models):
    bundle, original = load_bundle(models / "tiny-ner-int8" / "1", TaggerBundle), load_bundle(TINY, TaggerBundle)
    tokens = [sentence.tokens for sentence in read_conll(FIXTURES / "twenty.conll")]
    for answer, expected in zip(bundle.tag(tokens), original.tag(tokens), strict=True):
        assert [span for span, _ in answer.entities()] == [span for span, _ in expected.entities()]
        np.testing.assert_allclose(answer.span_probs, expected.span_probs, atol=int8_tagger.TOLERANCE)


def test_the_manifest_is_that_of_the_source_but_for_what_changed(models):
    manifest, original = read_manifest(models / "tiny-ner-int8" / "1"), read_manifest(TINY)
    assert not manifest.reproducible
    assert original.reproducible
    assert (manifest.name, manifest.version, manifest.metrics) == ("tiny-ner-int8", original.version, {})
    for name in ("vocabularies", "architecture", "limits", "licence", "attribution", "data"):
        assert getattr(manifest, name) == getattr(original, name)


def test_weights_are_int8_in_the_file(models):
    tensors = load_file(models / "tiny-ner-int8" / "1" / "weights.safetensors")
    before = load_file(TINY / "weights.safetensors")
    assert {name for name, array in tensors.items() if array.dtype == np.int8} >= {
        "encoder.0.W_quantized",
        "encoder.0.R_quantized",
    }
    assert before["encoder.0.W"].dtype == np.float32
    assert "encoder.0.W" not in tensors


def test_recorded_answers_are_sure(models):
    golden = json.loads((models / "tiny-ner-int8" / "1" / "golden.json").read_text())
    recorded = json.loads((TINY / "golden.json").read_text())
    assert golden["sentences"] == recorded["sentences"]
    assert golden["tag_probs"] != recorded["tag_probs"]
    assert set(golden) == set(Golden.__struct_fields__)


def test_a_sentence_that_is_not_sure_is_not_recorded(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(int8_tagger, "TOLERANCE", 0.3)  # tags that lead by less than 0.6 are unsure then
    assert main(["quantize", str(TINY), "--to", str(tmp_path), "--name", "some"]) == 0
    golden = json.loads((tmp_path / "some" / "1" / "golden.json").read_text())
    assert 0 < len(golden["sentences"]) < len(json.loads((TINY / "golden.json").read_text())["sentences"])
    monkeypatch.setattr(int8_tagger, "TOLERANCE", 0.5)
    assert main(["quantize", str(TINY), "--to", str(tmp_path), "--name", "none"]) == 1
    assert "with enough certainty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir() if (path / "1").exists()] == ["some"]


def test_a_configuration_compares_both(tmp_path, capsys):
    config = tmp_path / "tiny.toml"
    file = json.dumps(str(FIXTURES / "twenty.conll"))
    table = json.loads(json.dumps(config_table(tiny_config())))
    config.write_text(
        "\n".join(f"{key} = {json.dumps(table[key])}" for key in ("name", "version", "description", "licence"))
        + f'\n[data]\nlabels = ["PER", "LOC", "ORG"]\ntrain = [{{ file = {file} }}]\ndev = [{{ file = {file} }}]\n'
    )
    assert main(["quantize", str(TINY), "--to", str(tmp_path), "--config", str(config)]) == 0
    printed = capsys.readouterr().out
    (metrics,) = read_manifest(tmp_path / "tiny-ner-int8" / "1").metrics.values()
    assert metrics["f1"] == 1.0
    assert "| 100.00 | 100.00 | 100.00 | 0.0" in printed
    assert printed.splitlines()[0] in (tmp_path / "tiny-ner-int8" / "1" / "README.md").read_text()


def test_a_bundle_is_not_overwritten_unasked(models, tmp_path, capsys):
    arguments = ["quantize", str(TINY), "--to", str(models)]
    card = tmp_path / "card.md"
    card.write_text("# mine\n")
    assert main([*arguments, "--card", str(card)]) == 1
    assert "is there already" in capsys.readouterr().err
    assert main([*arguments, "--card", str(card), "--replace"]) == 0
    folder = models / "tiny-ner-int8" / "1"
    assert (folder / "README.md").read_text() == "# mine\n"
    assert [path.name for path in folder.parent.iterdir()] == ["1"], "something temporary was left behind"


@pytest.mark.parametrize(
    ("bundle", "message"),
    [(LANGUAGE_MODEL, "its task is 'language-model' instead of 'tag'"), (Path("nowhere"), "nowhere")],
    ids=["language-model", "absent"],
)
def test_what_cannot_be_done_is_one_sentence(tmp_path, capsys, bundle, message):
    assert main(["quantize", str(bundle), "--to", str(tmp_path / "models")]) == 1
    assert message in capsys.readouterr().err
    assert not list((tmp_path / "models").glob("*/*"))
