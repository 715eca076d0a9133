"""POST /v1/score through a real server: a sound answer whatever the text, the same every time; errors as promised."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.live.problems import check_problem
from tests.live.served import Reply, Served
from tests.live.test_live_tag import TEXTS

WORD, CHARACTER = "tiny-lm", "tiny-char-lm"


def score(server: Served, body: object, **options: Any) -> Reply:
    """Send a body to /v1/score."""
    return server.post(body, path="/v1/score", **options)


def results(server: Served, **body: object) -> list[dict[str, Any]]:
    """Send a request that must be answered and return its results."""
    reply = score(server, body)
    assert reply.status == 200, reply.body[:300]
    found: list[dict[str, Any]] = reply.json()["results"]
    return found


def check_result(text: str, result: dict[str, Any], *, eos: bool) -> None:
    """Check all that must hold between a text and its answer with tokens."""
    tokens = result["tokens"]
    end = 0
    for token in tokens[: len(tokens) - eos]:
        assert end <= token["start"] < token["end"]
        assert token["text"] == text[token["start"] : token["end"]]
        end = token["end"]
    if eos:
        assert (tokens[-1]["text"], tokens[-1]["start"], tokens[-1]["end"]) == ("<EOS>", len(text), len(text))
        assert not tokens[-1]["is_unknown"]
    assert result["num_tokens"] == len(tokens)
    assert result["num_unknown"] == sum(token["is_unknown"] for token in tokens)
    assert all(token["rank"] >= 1 and token["log_prob"] < 1e-5 for token in tokens)
    assert result["log_prob"] == pytest.approx(math.fsum(token["log_prob"] for token in tokens), rel=1e-12)
    assert result["log10_prob"] == pytest.approx(result["log_prob"] / math.log(10), rel=1e-12)
    assert 0 <= result["prob"] <= 1
    assert (result["perplexity"] is None) == (not tokens)
    assert (result["perplexity_known"] is None) == all(token["is_unknown"] for token in tokens)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts_of_all_kinds(server: Served, text: str) -> None:
    (result,) = results(server, text=text, model=WORD, include=["tokens"])
    check_result(text, result, eos=True)
    few = text[:3_000]
    (result,) = results(server, text=few, model=CHARACTER, include=["tokens"])
    check_result(few, result, eos=result["num_tokens"] > len(few))


@given(st.lists(st.text(max_size=100), min_size=1, max_size=4), st.text(max_size=40), st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text(server: Served, texts: list[str], context: str, eos: bool) -> None:
    found = results(server, text=texts, context=context, eos=eos, model=WORD, include=["tokens"], top=2)
    assert len(found) == len(texts)
    for text, result in zip(texts, found, strict=True):
        check_result(text, result, eos=eos)


def test_raw_utf8_and_escapes_mean_the_same(server: Served) -> None:
    raw = '{"text": "Zoë 😀 Müller", "model": "tiny-lm"}'.encode()
    escaped = b'{"text": "Zo\\u00eb \\ud83d\\ude00 M\\u00fcller", "model": "tiny-lm"}'
    assert score(server, raw).body == score(server, escaped).body


def test_unknown_words_alone_have_a_finite_probability(server: Served) -> None:
    (result,) = results(server, text="qxzzv wvvqk zzzxq", model=WORD, eos=False)
    assert (result["num_tokens"], result["num_unknown"]) == (3, 3)
    assert math.isfinite(result["log_prob"])
    assert result["perplexity_known"] is None


def test_a_character_never_seen_has_a_finite_probability(server: Served) -> None:
    (result,) = results(server, text="\U0001f9ff\U0001f9ff", model=CHARACTER, include=["tokens"], eos=False)
    assert result["num_unknown"] == 2
    assert math.isfinite(result["log_prob"])
    assert all(math.isfinite(token["log_prob"]) for token in result["tokens"])


def test_nothing_has_the_probability_of_an_end(server: Served) -> None:
    (ended,) = results(server, text="", model=WORD)
    (nothing,) = results(server, text="", model=WORD, eos=False)
    assert ended["num_tokens"] == 1
    assert (nothing["num_tokens"], nothing["log_prob"], nothing["prob"], nothing["perplexity"]) == (0, 0, 1, None)


def test_a_text_is_its_context_and_its_rest(server: Served) -> None:
    text = "the cat sat on the mat . " * 40  # several chunks
    (whole,) = results(server, text=text, model=WORD, include=["tokens"])
    for cut in (1, 64, 200):
        start = whole["tokens"][cut]["start"]
        (rest,) = results(server, text=text[start:], context=text[:start], model=WORD, include=["tokens"])
        wanted = [token["log_prob"] for token in whole["tokens"][cut:]]
        assert [token["log_prob"] for token in rest["tokens"]] == pytest.approx(wanted, abs=1e-4)


def test_alternatives_are_a_distribution_best_first(server: Served) -> None:
    (result,) = results(server, text="the cat", model=WORD, include=["tokens"], top=20)
    for token in result["tokens"]:
        values = [item["log_prob"] for item in token["top"]]
        assert values == sorted(values, reverse=True)
        assert math.fsum(map(math.exp, values)) <= 1 + 1e-5
        assert len({item["text"] for item in token["top"]}) == len(values)
        if token["rank"] <= len(values):
            assert token["log_prob"] in values


def test_an_answer_is_the_same_alone_and_among_others(server: Served) -> None:
    texts = [" ".join(["the", "cat", "sat", "."][: number % 4 + 1] * (1 + number % 9)) for number in range(64)]
    bodies = [
        {"text": text, "model": WORD, **({"include": ["tokens"], "top": number % 4} if number % 3 == 0 else {})}
        for number, text in enumerate(texts)
    ]
    alone = [score(server, body).body for body in bodies]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda body: score(server, body).body, bodies)) == alone
    together = results(server, text=texts, model=WORD)
    for body, other in zip(alone, together, strict=True):
        one = json.loads(body)["results"][0]
        assert {name: one[name] for name in other} == other


INVALID = {
    "nothing": ({}, ""),
    "no texts": ({"text": []}, "/text"),
    "number for text": ({"text": 3}, "/text"),
    "number among texts": ({"text": ["a", 3]}, "/text/1"),
    "null": ({"text": None}, "/text"),
    "context a number": ({"text": "a", "context": 3}, "/context"),
    "number among contexts": ({"text": ["a"], "context": [3]}, "/context/0"),
    "too few contexts": ({"text": ["a", "b"], "context": ["a"]}, "/context"),
    "too many contexts": ({"text": "a", "context": ["a", "b"]}, "/context"),
    "no contexts": ({"text": ["a"], "context": []}, "/context"),
    "eos a number": ({"text": "a", "eos": 1}, "/eos"),
    "include a string": ({"text": "a", "include": "tokens"}, "/include"),
    "unknown include": ({"text": "a", "include": ["tokens", "ranks"]}, "/include/1"),
    "top without tokens": ({"text": "a", "top": 1}, "/top"),
    "top too large": ({"text": "a", "top": 21, "include": ["tokens"]}, "/top"),
    "top negative": ({"text": "a", "top": -1, "include": ["tokens"]}, "/top"),
    "top a fraction": ({"text": "a", "top": 0.5, "include": ["tokens"]}, "/top"),
    "unknown field": ({"text": "a", "tpo": 1}, "/tpo"),
    "tokens of a tagger": ({"text": "a", "tokens": ["a"]}, "/tokens"),
}


@pytest.mark.parametrize(("body", "pointer"), INVALID.values(), ids=INVALID)
def test_invalid_request(server: Served, body: dict[str, Any], pointer: str) -> None:
    problem = check_problem(score(server, {**body, "model": WORD}), 422, "invalid_request")
    assert [field["pointer"] for field in problem["errors"]] == [pointer]


@pytest.mark.parametrize(
    "body", [b"", b'{"text": "a"', b'{"text": "\\ud800"}', b'{"text": "a", "top": NaN}', b'{"text": "\xff"}']
)
def test_malformed_json(server: Served, body: bytes) -> None:
    check_problem(score(server, body), 400, "malformed_json")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"text": "a " * 20_001}, "/text"),
        ({"text": ["fine", "a " * 20_001]}, "/text/1"),
        ({"text": "fine", "context": "a " * 20_001}, "/context"),
        ({"text": ["a", "b"], "context": ["", "a " * 20_001]}, "/context/1"),
        ({"text": ["a " * 19_000] * 6}, "/text"),
    ],
    ids=["one text", "one of two", "context", "one of two contexts", "all together"],
)
def test_text_too_long(server: Served, body: dict[str, Any], pointer: str) -> None:
    problem = check_problem(score(server, {**body, "model": WORD}), 422, "text_too_long")
    assert problem["errors"][0]["pointer"] == pointer


def test_too_many_texts(server: Served) -> None:
    problem = check_problem(score(server, {"text": [""] * 1025, "model": WORD}), 422, "too_many_texts")
    assert problem["errors"][0]["pointer"] == "/text"


def test_other_errors(server: Served) -> None:
    check_problem(score(server, {"text": "a", "model": "lm-xx"}), 404, "model_not_found")
    check_problem(score(server, {"text": "a", "model": "tiny-ner"}), 409, "task_mismatch")
    check_problem(server.post({"text": "a", "model": WORD}), 409, "task_mismatch")
    check_problem(score(server, {"text": "a"}, headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")
    check_problem(score(server, b" " * 3_000_000), 413, "payload_too_large")
    check_problem(server.get("/v1/score"), 405, "method_not_allowed")


def test_metrics_count_scored_tokens(server: Served) -> None:
    results(server, text="the cat", model=WORD)
    text = server.get("/metrics").body.decode()
    assert 'seqserve_tokens_scored_total{model="tiny-lm"}' in text
    assert 'seqserve_requests_total{model="tiny-lm",route="/v1/score",status="200"}' in text
