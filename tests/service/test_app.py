"""The app around a stand-in graph: what a real server shows only by chance."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from seqserve.service.context import ARRIVED_AT, FOR_OPERATORS
from seqserve.service.engine.models import LanguageModel, QueueLimits
from seqserve.service.kinds import model_of
from seqserve.service.server.shared_state import SharedState
from seqserve.tagger.model import TaggerBundle
from tests.toy_language_model import ToyLanguageModel

MakeApp = Callable[..., Flask]
FINE = {"text": "Teddy Roosevelt came."}
FAR = 60.0


def language_model() -> LanguageModel:
    """A model of another task; taggers cannot be asked of it."""
    return model_of(ToyLanguageModel(), "cpu", QueueLimits(100))  # type: ignore[arg-type,return-value]


def test_a_model_of_another_task_is_a_mismatch(make_app: MakeApp) -> None:
    client = make_app(models=[language_model()]).test_client()
    reply = client.post("/v1/tag", json={**FINE, "model": "toy-word"})
    assert (reply.status_code, reply.json["code"]) == (409, "task_mismatch")
    assert reply.content_type == "application/problem+json"


def test_without_a_name_the_first_tagger_answers(make_app: MakeApp) -> None:
    client = make_app(models=[language_model()]).test_client()
    assert client.post("/v1/tag", json=FINE).json["model"] == "tiny-ner"


def test_nothing_is_ready_before_models_are_open(make_app: MakeApp) -> None:
    client = make_app(opened=False).test_client()
    for reply in (client.get("/readyz"), client.post("/v1/tag", json=FINE), client.get("/v1/models/tiny-ner")):
        assert (reply.status_code, reply.json["code"]) == (503, "not_ready")
        assert "tiny-ner" in reply.json["detail"]
        assert reply.headers["Retry-After"] == "1"
    assert client.get("/healthz").status_code == 200


def test_readiness_fails_while_draining_and_the_rest_goes_on(make_app: MakeApp) -> None:
    shared = SharedState()
    client = make_app(shared=shared).test_client()
    assert client.get("/readyz").status_code == 200
    shared.start_draining(60)
    reply = client.get("/readyz")
    assert (reply.status_code, reply.json["code"], reply.headers["Retry-After"]) == (503, "shutting_down", "60")
    assert client.post("/v1/tag", json=FINE).status_code == 200


def test_a_failing_run_is_one_request_not_the_next(
    make_app: MakeApp, bundle: TaggerBundle, caplog: pytest.LogCaptureFixture
) -> None:
    def run(rows: list) -> list:
        if len(rows[0]) == 2:
            raise RuntimeError("the graph melted")
        return bundle.run(bundle.encode(rows))

    client = make_app(run=run).test_client()
    reply = client.post("/v1/tag", json={"tokens": ["Teddy", "Roosevelt"]})
    assert (reply.status_code, reply.json["code"], reply.json["errors"]) == (500, "internal", [])
    assert b"melted" not in reply.data
    assert client.post("/v1/tag", json=FINE).status_code == 200


def test_a_bug_anywhere_is_an_internal_error(make_app: MakeApp) -> None:
    app = make_app()

    @app.get("/bug")
    def bug() -> None:
        raise KeyError("oops")

    reply = app.test_client().get("/bug")
    assert (reply.status_code, reply.json["code"]) == (500, "internal")
    assert b"oops" not in reply.data


def test_a_full_queue_is_refused_while_another_runs(make_app: MakeApp, bundle: TaggerBundle) -> None:
    entered, release = threading.Event(), threading.Event()

    def run(rows: list) -> list:
        entered.set()
        assert release.wait(FAR)
        return bundle.run(bundle.encode(rows))

    app = make_app(run=run, max_queue_tokens=6)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: app.test_client().post("/v1/tag", json=FINE))
        assert entered.wait(FAR)
        refused = app.test_client().post("/v1/tag", json=FINE)
        release.set()
        assert first.result().status_code == 200
    assert (refused.status_code, refused.json["code"]) == (503, "overloaded")
    assert int(refused.headers["Retry-After"]) >= 1
    assert app.test_client().post("/v1/tag", json=FINE).status_code == 200


def test_a_request_whose_body_took_until_its_deadline_costs_nothing(make_app: MakeApp) -> None:
    def never(rows: list) -> list:
        raise AssertionError("ran an expired request")

    client = make_app(run=never, deadline_s=5.0).test_client()
    arrived_at = time.monotonic() - 6.0
    reply = client.post("/v1/tag", json=FINE, environ_overrides={ARRIVED_AT: arrived_at})
    assert (reply.status_code, reply.json["code"]) == (504, "deadline_exceeded")


def test_time_counts_from_the_first_byte(make_app: MakeApp) -> None:
    overrides = {ARRIVED_AT: time.monotonic() - 2.0}
    timing = make_app().test_client().get("/healthz", environ_overrides=overrides).headers["Server-Timing"]
    assert float(timing.rpartition("total;dur=")[2]) >= 2000


@pytest.mark.parametrize(
    ("path", "status"), [("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/v1/models", 404), ("/nothing", 404)]
)
def test_the_port_for_operators_answers_probes_and_metrics_only(make_app: MakeApp, path: str, status: int) -> None:
    reply = make_app().test_client().get(path, environ_overrides={FOR_OPERATORS: True})
    assert reply.status_code == status


@pytest.mark.parametrize(
    ("given", "back"),
    [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", True),
        ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", False),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", False),
        ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", False),
        ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", False),
        ("nonsense", False),
    ],
)
def test_a_trace_is_passed_through(make_app: MakeApp, given: str, back: bool) -> None:
    reply = make_app().test_client().post("/v1/tag", json=FINE, headers={"traceparent": given})
    assert reply.headers.get("traceparent") == (given if back else None)


def test_a_key_may_hold_any_character(make_app: MakeApp) -> None:
    client = make_app(api_keys=("clé",)).test_client()
    reply = client.get("/v1/models", headers={"Authorization": "Bearer clé".encode().decode("latin-1")})
    assert reply.status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [({"model": "\0" * 100_000}, 404), ({"include": ["x" * 100_000]}, 422), ({"x" * 100_000: 1}, 422)],
    ids=["model", "value", "field"],
)
def test_an_error_does_not_repeat_all_that_was_sent(make_app: MakeApp, body: dict, status: int) -> None:
    reply = make_app().test_client().post("/v1/tag", json={**FINE, **body})
    assert reply.status_code == status
    assert len(reply.data) < 2_000


@pytest.mark.parametrize("key", ["clé", "right", "right-and-more", ""])
def test_keys_are_compared_whole(make_app: MakeApp, key: str) -> None:
    client = make_app(api_keys=("right-and-more", "other")).test_client()
    reply = client.get("/v1/models", headers={"Authorization": f"Bearer {key}".encode().decode("latin-1")})
    assert reply.status_code == (200 if key == "right-and-more" else 401)


def test_a_body_of_more_strings_than_any_request_may_have_is_refused_unread(make_app: MakeApp) -> None:
    client = make_app().test_client()
    bomb = b'{"text": [' + b'"a",' * 500_000 + b'"a"]}'
    reply = client.post("/v1/tag", data=bomb, content_type="application/json")
    assert (reply.status_code, reply.json["code"]) == (422, "too_many_texts")
    reply = client.post("/v1/tag", data=b'{"text": "' + b'\\"' * 90_000 + b'"}', content_type="application/json")
    assert reply.json["code"] == "text_too_long"
