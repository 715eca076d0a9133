"""A temperature and a table of scores, fitted and measured when a bundle is written."""

import dataclasses

import numpy as np
import pytest

from seqserve.loading import load_bundle
from seqserve.tagger.load import TAGGER
from seqserve.tagger.pipeline import make_options
from seqserve.training.export.folder import Card
from seqserve.training.export.recovery import Stored, recover_crf
from seqserve.training.reading.conll import Sentence
from seqserve.training.taggers.bundle import export_tagger
from seqserve.training.taggers.calibration import MIN_SCORES, DevSet, calibrate, with_table
from seqserve.training.taggers.graph import TaggerOptions, build_tagger
from seqserve.training.taggers.judging import Judged, judge
from tests.training.export.sessions import open_tagger, random_batch
from tests.training.export.taggers import NUM_CHARACTERS, NUM_WORDS, random_tagger, weights_of
from tests.training.taggers.test_bundle import GOLDEN, trained_tagger

CARD = Card(name="tiny", version="3", created="2026-01-02", description="random", readme="# tiny\n", licence="MIT")


def judged(scores: list[float], is_right: list[bool], num_gold: int) -> Judged:
    return Judged(np.array(scores), np.array(is_right), ["PER"] * len(scores), num_gold)


def dev_sets(bundle) -> list[DevSet]:
    """Random words with the bundle's own tags, every third of them wrong."""
    generator = np.random.default_rng(5)
    sentences = [[f"word{n:02}" for n in generator.integers(0, 48, length)] for length in (3, 5, 8, 2) * 6]
    tagged = bundle.tag(sentences)
    rows = [
        Sentence(tuple(words), answer.tags if number % 3 else ("O",) * len(words))
        for number, (words, answer) in enumerate(zip(sentences, tagged, strict=True))
    ]
    return [DevSet("own/dev", rows, 2.0), DevSet("ignored", [], 0.0)]


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
@pytest.mark.parametrize("temperature", [0.5, 1.7])
def test_a_temperature_keeps_the_path_and_scales_every_potential(tmp_path, scheme, temperature):
    tagger, tags = random_tagger(scheme=scheme)
    weights = weights_of(tagger)
    scaled = {
        name: array / np.float32(temperature) if name.startswith(("emission.", "crf.")) else array
        for name, array in weights.items()
    }
    options = TaggerOptions(tags, scheme, table_dtype="float32")
    warm = dataclasses.replace(options, temperature=temperature)
    generator = np.random.default_rng(3)
    feeds = random_batch(generator, (6, 9, 5), num_words=NUM_WORDS, num_characters=NUM_CHARACTERS)
    plain, given, expected = (
        open_tagger(tmp_path / name, each, chosen).run(feeds)
        for name, each, chosen in (("a", weights, options), ("b", weights, warm), ("c", scaled, options))
    )
    np.testing.assert_array_equal(given["tags"], plain["tags"])
    assert np.abs(given["tag_probs"] - plain["tag_probs"]).max() > 0.01
    for name in ("tag_probs", "span_probs", "continue_probs"):
        np.testing.assert_allclose(given[name], expected[name], atol=2e-6)


def test_weights_to_start_from_do_not_hold_the_temperature():
    tagger, tags = random_tagger()
    plain, warm = (
        Stored(build_tagger(weights_of(tagger), TaggerOptions(tags, "BIOES", temperature=temperature))[1])
        for temperature in (1.0, 1.5)
    )
    for name, array in recover_crf(plain).items():
        np.testing.assert_array_equal(recover_crf(warm)[name], array)


@pytest.mark.parametrize("temperature", [0.0, -1.0, 11.0, float("nan")])
def test_a_temperature_out_of_range_is_refused(temperature):
    tagger, tags = random_tagger()
    with pytest.raises(ValueError, match="temperature must lie in"):
        build_tagger(weights_of(tagger), TaggerOptions(tags, "BIOES", temperature=temperature))


def test_an_exported_bundle_says_what_its_scores_are_worth(tmp_path):
    _, trained = trained_tagger()
    export_tagger(tmp_path / "plain", trained, CARD, GOLDEN)
    plain = load_bundle(tmp_path / "plain")
    dev = dev_sets(plain)
    manifest = export_tagger(tmp_path / "3", trained, CARD, GOLDEN, dev=dev)
    bundle, calibration = load_bundle(tmp_path / "3"), manifest.calibration
    assert calibration.data == ["own/dev"]
    assert calibration.temperature != 1
    before, after = judge(plain, dev[0].sentences), judge(bundle, dev[0].sentences)
    assert after.log_loss() < before.log_loss()
    assert after.is_right.tolist() == before.is_right.tolist()
    assert calibration.expected_error == pytest.approx(after.expected_error(), abs=1e-4)
    assert [point.min_score for point in calibration.scores] == list(MIN_SCORES)
    recalls = [point.recall for point in calibration.scores]
    assert recalls == sorted(recalls, reverse=True)
    assert calibration.scores[0].precision == pytest.approx(after.is_right.mean(), abs=1e-4)
    card = (tmp_path / "3" / "README.md").read_text()
    assert card.startswith("# tiny\n\n## Precision and recall by min_score\n\n| min_score | precision | recall |\n")
    assert f"The temperature {calibration.temperature:g} was fitted" in card
    assert TAGGER.manifest is type(bundle.manifest)
    options = make_options(bundle, labels=None, min_score=None, include=[], decode="expected_f1")
    assert options.span_threshold == calibration.span_threshold


def test_a_card_may_say_where_the_table_stands(tmp_path):
    _, trained = trained_tagger()
    export_tagger(tmp_path / "plain", trained, CARD, GOLDEN)
    bundle = load_bundle(tmp_path / "plain")
    calibration = calibrate(lambda temperature: bundle, dev_sets(bundle))
    card = with_table("# mine\n\n<!-- calibration -->\n\n## Limits\n", calibration)
    assert card.index("## Precision and recall") < card.index("## Limits")
    assert "<!--" not in card


def test_a_file_without_a_mistake_asks_for_no_certainty():
    rows = {score: judged([score] * 98, [True] * 98, 98).log_loss() for score in (0.9, 0.98, 0.99, 0.999, 1.0)}
    assert min(rows, key=rows.__getitem__) == 0.99


def test_without_an_entity_the_temperature_is_1(tmp_path):
    _, trained = trained_tagger()
    export_tagger(tmp_path / "plain", trained, CARD, GOLDEN)
    bundle = load_bundle(tmp_path / "plain")
    calibration = calibrate(lambda temperature: bundle, [DevSet("none", [])])
    assert (calibration.temperature, calibration.expected_error) == (1.0, 0.0)
    assert {(point.precision, point.recall) for point in calibration.scores} == {(1.0, 0.0)}


def test_the_expected_error_weighs_bins_by_their_entities():
    # [.9, 1]: two entities of .95, one right; [.5, .6): two of .5, none right
    found = judged([0.95, 0.95, 0.5, 0.5], [True, False, False, False], 2)
    assert found.expected_error(10) == pytest.approx((abs(1.9 - 1) + 1.0) / 4)
    assert judged([], [], 1).expected_error() == 0


def test_log_loss_and_points():
    found = judged([0.8, 0.4], [True, False], 4)
    assert found.log_loss() == pytest.approx(-(2 * np.log(0.8) + np.log(0.2) + np.log(0.4) + 2 * np.log(0.6)) / 6)
    assert found.f1() == pytest.approx(1 / 3)
    point = found.point(0.5)
    assert (point.precision, point.recall) == (1.0, 0.25)
    assert found.point(0.9).precision == 1.0
    assert np.isfinite(judged([1.0, 0.0], [False, True], 1).log_loss())
