"""Every route of the app on the small bundles, for spoiled bodies and headers: an answer or a 4xx of the one shape."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from seqserve.service.app import create_app
from seqserve.service.errors import KINDS
from seqserve.service.settings import Settings
from tests.fuzz.strategies import patient
from tests.fuzz.test_fuzz_requests import FULL, LONGEST_NAME, resolve, spoiled
from tests.live.served import BUNDLES

NOT_THE_BODYS = {"malformed_json", "model_not_found", "task_mismatch", "payload_too_large"}
HEADERS = ("X-Request-Id", "Authorization", "traceparent", "Accept", "Accept-Encoding", "Connection", "Cookie")
HEADER_VALUES = st.text(st.characters(min_codepoint=0, max_codepoint=255, exclude_characters="\r\n"), max_size=200)
PATHS = st.text(st.characters(max_codepoint=255), max_size=60)
"""As WSGI has them: a character is a byte."""
MODELS = st.sampled_from(["tiny-ner", "tiny-lm", "tiny-char-lm", "tiny-classifier", "tiny-translate", None, "none"])
SANE_ID = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~:/=@-]{1,128}")


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Settings(models=(BUNDLES,)))


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def check_answer(reply: Any, body: Any) -> None:
    """Check that a reply is an answer, or an error of the table whose pointers lead into the body."""
    if reply.status_code == 200:
        return
    problem = reply.json
    assert KINDS[problem["code"]].status == reply.status_code < 500, problem
    assert reply.content_type == "application/problem+json"
    assert bool(problem["errors"]) or problem["code"] in NOT_THE_BODYS
    for field in problem["errors"]:
        if field["pointer"] in ("/text", "/tokens") and body.get("text") is None and body.get("tokens") is None:
            continue  # one of the two is missed
        if len(field["pointer"].rpartition("/")[2]) < LONGEST_NAME:
            resolve(body, field["pointer"])


def is_cheap(path: str, body: Any) -> bool:
    """Say whether a body asks for no more than a moment of work, if it is valid at all."""
    most = body.get("max_tokens", 100) if isinstance(body, dict) else 0
    return path not in ("/v1/sample", "/v1/transduce") or not isinstance(most, int | float) or abs(most) < 200


@pytest.mark.parametrize("path", FULL)
@settings(patient, suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data(), model=MODELS)
def test_spoiled_bodies(client: FlaskClient, path: str, data: st.DataObject, model: str | None) -> None:
    body = data.draw(spoiled(path).filter(lambda body: is_cheap(path, body)))
    if isinstance(body, dict) and body.get("model") == "m":
        body["model"] = model
    reply = client.post(path, data=json.dumps(body), content_type="application/json")
    check_answer(reply, json.loads(json.dumps(body)))


@patient
@given(name=st.sampled_from(HEADERS), value=HEADER_VALUES)
@example(name="X-Request-Id", value="a b")
@example(name="Authorization", value="Bearer")
@example(name="Authorization", value="Basic \xff\xfe")
@example(name="traceparent", value="00-" + "0" * 32 + "-" + "0" * 16 + "-00")
def test_headers_change_no_answer(client: FlaskClient, name: str, value: str) -> None:
    reply = client.get("/v1/models/tiny-ner", headers={name: value})
    assert reply.status_code == 200
    if name == "X-Request-Id" and SANE_ID.fullmatch(value):
        assert reply.headers["X-Request-Id"] == value
    else:
        assert SANE_ID.fullmatch(reply.headers["X-Request-Id"])


@patient
@given(path=PATHS, method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS", "BREW"]))
@example(path="v1/models/\0", method="GET")
@example(path="v1/models/../../etc", method="GET")
@example(path="/v1/tag", method="POST")
@example(path="v1/models/\xed\xa0\x80", method="GET")
def test_any_address_and_method_is_answered(client: FlaskClient, path: str, method: str) -> None:
    reply = client.open("/", method=method, environ_overrides={"PATH_INFO": f"/{path}"})
    assert reply.status_code in (200, 308, 404, 405, 415)
    assert reply.headers["X-Request-Id"]
