"""`decode` of /v1/tag, of `seqserve tag` and of `Tagger.tag`."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from seqserve.cli import main
from seqserve.errors import InvalidRequestError
from seqserve.loading import load_bundle
from seqserve.service.engine.models import QueueLimits
from seqserve.service.kinds import model_of
from seqserve.tagger.decoding import likely_spans
from seqserve.tagger.manifest import TaggerCalibration
from seqserve.tagger.model import TaggerBundle
from seqserve.tagger.tagger import Tagger
from tests.service.conftest import BUNDLES
from tests.training.export.again import export_again

TEXTS = [
    'He said, "Teddy Roosevelt was a great President."',
    "harry potter and hermione granger invented a new spell in london with acme corp and teddy",  # two windows of 8
    "",
    "Harry Potter met Teddy Roosevelt",
]
TOO_OLD = (
    "The bundle tiny-ner 1 gives no posteriors of all spans, which expected_f1 needs: "
    "export the model again with this release."
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("models") / "again" / "1"
    return export_again(BUNDLES / "tiny-ner" / "1", target, name="again")


@pytest.fixture(scope="module")
def again(folder: Path) -> TaggerBundle:
    return load_bundle(folder, TaggerBundle)


@pytest.fixture
def client(make_app: Callable[..., Flask], again: TaggerBundle) -> FlaskClient:
    return make_app(models=[model_of(again, "cpu", QueueLimits(10_000))]).test_client()


def results(client: FlaskClient, texts: list[str], **options: Any) -> list[dict[str, Any]]:
    answer = client.post("/v1/tag", json={"model": "again", "text": texts, **options})
    assert answer.status_code == 200, answer.json
    found: list[dict[str, Any]] = answer.json["results"]
    return found


def test_the_best_path_is_the_default(client: FlaskClient) -> None:
    assert results(client, TEXTS) == results(client, TEXTS, decode="best_path")


def test_every_likely_span_is_answered_with_its_posterior(client: FlaskClient, again: TaggerBundle) -> None:
    tokens = ["Harry", "Potter", "met", "Teddy", "Roosevelt"]
    [row] = again.tag([tokens])
    exact = likely_spans(row, again.tags, again.manifest.span_threshold)
    [found] = results(client, [" ".join(tokens)], decode="expected_f1")
    spans = {(each["label"], each["token_start"], each["token_end"]): each["score"] for each in found["entities"]}
    assert spans
    assert spans == pytest.approx({tuple(span): exact[span] for span in exact if tuple(span) in spans}, abs=1e-6)
    assert len(spans) == len(exact)


def test_texts_alone_equal_texts_together(client: FlaskClient) -> None:
    options = {"decode": "expected_f1", "include": ["tokens", "tag_probs"]}
    assert results(client, TEXTS, **options) == [results(client, [text], **options)[0] for text in TEXTS]


def test_the_other_options_apply(client: FlaskClient) -> None:
    everything = results(client, TEXTS, decode="expected_f1")
    kept = results(client, TEXTS, decode="expected_f1", labels=["PER"], min_score=0.9)
    assert kept == [
        {"entities": [each for each in item["entities"] if each["label"] == "PER" and each["score"] >= 0.9]}
        for item in everything
    ]
    assert any(item["entities"] for item in kept)


def test_python_and_the_command_line_give_the_same(
    client: FlaskClient, again: TaggerBundle, folder: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    expected = results(client, TEXTS, decode="expected_f1")
    answers = Tagger(again).tag(TEXTS, decode="expected_f1")
    found = [[(each.text, each.score) for each in answer.entities] for answer in answers]
    assert found == [[(each["text"], each["score"]) for each in item["entities"]] for item in expected]
    file = tmp_path / "texts"
    file.write_text("".join(text + "\n" for text in TEXTS), encoding="utf-8")
    assert main(["tag", str(file), "--model", str(folder), "--decode", "expected_f1"]) == 0
    assert [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()] == expected


def test_a_bundle_without_the_output_is_refused(make_app: Callable[..., Flask], bundle: TaggerBundle) -> None:
    client = make_app().test_client()
    answer = client.post("/v1/tag", json={"text": "London", "decode": "expected_f1"})
    assert answer.status_code == 422
    assert answer.json["errors"] == [{"pointer": "/decode", "detail": TOO_OLD}]
    with pytest.raises(InvalidRequestError, match="export the model again"):
        Tagger(bundle).tag(["London"], decode="expected_f1")


def test_an_unknown_way_of_decoding_is_refused(client: FlaskClient) -> None:
    answer = client.post("/v1/tag", json={"model": "again", "text": "x", "decode": "greedy"})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/decode")


def test_models_say_how_they_decode(client: FlaskClient) -> None:
    found = {each["id"]: each for each in client.get("/v1/models").json["data"]}
    assert found["tiny-ner"]["decode"] == ["best_path"]
    assert found["again"]["decode"] == ["best_path", "expected_f1"]
    assert "calibration" not in found["again"]


def test_models_say_what_their_scores_are_worth(make_app: Callable[..., Flask], again: TaggerBundle) -> None:
    calibration = {
        "temperature": 1.25,
        "span_threshold": 0.39,
        "expected_error": 0.031,
        "scores": [{"min_score": 0.5, "precision": 0.875, "recall": 0.75}],
        "data": ["own/dev.conll"],
    }
    manifest = msgspec.structs.replace(again.manifest, calibration=msgspec.convert(calibration, TaggerCalibration))
    model = model_of(dataclasses.replace(again, manifest=manifest), "cpu", QueueLimits(10_000))
    client = make_app(models=[model]).test_client()
    assert client.get("/v1/models/again").json["calibration"] == calibration
