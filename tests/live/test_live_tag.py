"""POST /v1/tag and its neighbours through a real server: whatever text, a right answer, the same every time."""

import json
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqserve.text.tokenization import without_invisible
from tests.live.served import Served

NOTES = 'He said, "Teddy Roosevelt was a great President."'

TEXTS = {
    "names": NOTES,
    "empty": "",
    "blank": " \t\r\n\u00a0\u2003\ufeff",
    "NUL": "Teddy\0 Roosevelt\0\0",
    "emoji": "👩‍👩‍👧‍👦 Teddy Roosevelt 🏳️‍🌈 in 🇫🇷!",
    "combining accents": "Te\u0301ddy R\u0308oosevelt " + "e" + "\u0301" * 500,
    "Hangul jamo": unicodedata.normalize("NFD", "한국어 텍스트에서 이름을 찾는다"),
    "right to left": "اسمي تيودور روزفلت. שמי תאודור רוזוולט\u202e abc",
    "Chinese": "西奥多·罗斯福是美国总统。他住在华盛顿。",
    "CRLF": "Teddy Roosevelt\r\nwas here.\r\n\r\nHarry Potter\rtoo.",
    "astral": "𝕿𝖊𝖉𝖉𝖞 𝕽𝖔𝖔𝖘𝖊𝖛𝖊𝖑𝖙",
    "control characters": "".join(map(chr, range(32))) + "\x7f\x85\u2028\u2029",
    "private and unassigned": "\ue000 \U0010ffff \U000e0001 \ufffe",
    "what means something elsewhere": "<UNK> <EOS> </s> [PAD] {{x}} ${y} %s \\u0000 '; DROP",
    "a megabyte without a space": "x" * 1_000_000,
    "a megabyte of one accent": "\u0301" * 300_000,
    "long sentence": "Teddy Roosevelt and " * 3_000,
    "many sentences": "Harry Potter came. " * 4_000,
    "punctuation": "." * 15_000 + "!?" * 100,
}


def check_result(text: str, result: dict[str, Any]) -> None:
    """Check all that must hold between a text and its answer."""
    tokens, entities = result["tokens"], result["entities"]
    end = 0
    for token in tokens:
        assert not without_invisible(text[end : token["start"]]).strip()
        assert token["text"] == text[token["start"] : token["end"]]
        end = token["end"]
        assert 0 <= token["score"] <= 1
    assert not without_invisible(text[end:]).strip()
    is_name = [0] * len(tokens)
    for entity in entities:
        first, last = entity["token_start"], entity["token_end"]
        assert 0 <= first < last <= len(tokens)
        assert (entity["start"], entity["end"]) == (tokens[first]["start"], tokens[last - 1]["end"])
        assert entity["text"] == text[entity["start"] : entity["end"]]
        assert 0 <= entity["score"] <= 1
        assert all(token["tag"].endswith(f"-{entity['label']}") for token in tokens[first:last])
        if entity["label"] == "PER":
            is_name[first:last] = [1] * (last - first)
    assert [token["is_name"] for token in tokens] == is_name


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts_of_all_kinds(server: Served, text: str) -> None:
    workers = server.workers
    reply = server.post({"text": text, "include": ["tokens"]})
    assert reply.status == 200, reply.body[:300]
    assert (reply.json()["model"], reply.json()["version"]) == ("tiny-ner", "1")
    (result,) = reply.json()["results"]
    check_result(text, result)
    assert server.post({"text": NOTES}).status == 200
    assert server.workers == workers


@given(st.lists(st.text(max_size=200), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text(server: Served, texts: list[str]) -> None:
    reply = server.post({"text": texts, "include": ["tokens"]})
    assert reply.status == 200, reply.body
    assert len(reply.json()["results"]) == len(texts)
    for text, result in zip(texts, reply.json()["results"], strict=True):
        check_result(text, result)


def test_raw_utf8_and_escapes_mean_the_same(server: Served) -> None:
    raw = '{"text": "Zoë 😀 Müller"}'.encode()
    escaped = b'{"text": "Zo\\u00eb \\ud83d\\ude00 M\\u00fcller"}'
    assert server.post(raw).body == server.post(escaped).body


def test_names_of_the_notes(server: Served) -> None:
    (result,) = server.post({"text": NOTES, "include": ["tokens"]}).json()["results"]
    assert [(entity["text"], entity["label"]) for entity in result["entities"]] == [("Teddy Roosevelt", "PER")]
    assert [token["text"] for token in result["tokens"] if token["is_name"]] == ["Teddy", "Roosevelt"]


def test_results_come_in_the_order_of_the_texts(server: Served) -> None:
    texts = [NOTES, "", "Harry Potter and Hermione Granger invented a new spell.", NOTES + " " + NOTES]
    together = server.post({"text": texts}).json()["results"]
    assert together == [server.post({"text": text}).json()["results"][0] for text in texts]
    assert together[1] == {"entities": []}


def test_tokens_are_taken_as_given_and_joined_by_single_spaces(server: Served) -> None:
    words = ["He", "said", "Teddy", "Roosevelt", "a b", "\n", "\0", "e\u0301"]
    (result,) = server.post({"tokens": words, "include": ["tokens"]}).json()["results"]
    text = " ".join(words)
    assert [token["text"] for token in result["tokens"]] == words
    assert all(text[token["start"] : token["end"]] == token["text"] for token in result["tokens"])
    assert [entity["text"] for entity in result["entities"]] == ["Teddy Roosevelt"]


def test_token_lists_are_several_texts(server: Served) -> None:
    words = ["Teddy", "Roosevelt", "came"]
    one = server.post({"tokens": words}).json()["results"]
    assert server.post({"tokens": [words, [], words]}).json()["results"] == [*one, {"entities": []}, *one]


@pytest.mark.parametrize("body", [{"text": ""}, {"text": [""]}, {"tokens": []}, {"tokens": [[]]}])
def test_nothing_to_tag_gives_empty_lists(server: Served, body: dict[str, Any]) -> None:
    assert server.post({**body, "include": ["tokens"]}).json()["results"] == [{"entities": [], "tokens": []}]


def test_labels_and_min_score_keep_entities(server: Served) -> None:
    everything = server.post({"text": NOTES}).json()["results"][0]["entities"]
    score = everything[0]["score"]
    for extra, kept in (
        ({"labels": ["PER"]}, everything),
        ({"labels": ["LOC", "ORG"]}, []),
        ({"labels": []}, []),
        ({"min_score": score}, everything),
        ({"min_score": min(1.0, score + 1e-6)}, []),
    ):
        assert server.post({"text": NOTES, **extra}).json()["results"] == [{"entities": kept}]


def test_filters_leave_tokens_alone(server: Served) -> None:
    body = {"text": NOTES, "include": ["tokens"]}
    tokens = server.post(body).json()["results"][0]["tokens"]
    assert server.post({**body, "labels": []}).json()["results"] == [{"entities": [], "tokens": tokens}]


def test_tag_probs_are_a_distribution_over_all_tags(server: Served) -> None:
    (result,) = server.post({"text": NOTES, "include": ["tag_probs"]}).json()["results"]
    for token in result["tokens"]:
        assert len(token["tag_probs"]) == 13
        assert sum(token["tag_probs"].values()) == pytest.approx(1, abs=1e-4)
        assert token["score"] == token["tag_probs"][token["tag"]]


def test_same_bytes_alone_and_among_32_clients(server: Served) -> None:
    words = re.findall(r"\S+", NOTES * 20)
    bodies = [
        {"text": [" ".join(words[number : number + 3 * number + 1]), NOTES][: number % 2 + 1], "include": ["tag_probs"]}
        for number in range(32)
    ]
    alone = [server.post(body).body for body in bodies]

    def client(number: int) -> bool:
        return all(server.post(bodies[number]).body == alone[number] for _ in range(5))

    with ThreadPoolExecutor(32) as pool:
        assert all(pool.map(client, range(32)))


@pytest.mark.parametrize(
    ("given_id", "kept"),
    [
        ("abc-123", True),
        ("A" * 128, True),
        ("a.b_c:d/e=f@g", True),
        ("A" * 129, False),
        ("two words", False),
        ('a"b', False),
        ("é", False),
        ("", False),
    ],
)
def test_request_id(server: Served, given_id: str, kept: bool) -> None:
    returned = server.get("/healthz", headers={"X-Request-Id": given_id.encode("latin-1").decode("latin-1")}).headers[
        "X-Request-Id"
    ]
    assert (returned == given_id) == kept
    assert returned


def test_request_ids_differ(server: Served) -> None:
    assert len({server.get("/healthz").headers["X-Request-Id"] for _ in range(8)}) == 8


def test_server_timing(server: Served) -> None:
    parts = dict(part.split(";dur=") for part in server.post({"text": NOTES}).headers["Server-Timing"].split(", "))
    assert list(parts) == ["queue", "compute", "total"]
    assert float(parts["total"]) >= float(parts["compute"]) > 0


def test_models(server: Served) -> None:
    listing = server.get("/v1/models").json()
    assert listing["object"] == "list"
    model = next(model for model in listing["data"] if model["id"] == "tiny-ner")
    assert server.get("/v1/models/tiny-ner").json() == model
    assert (model["id"], model["object"], model["task"], model["version"]) == ("tiny-ner", "model", "tag", "1")
    assert (model["cell"], model["provider"], model["reproducible"]) == ("lstm", "cpu", True)
    assert model["labels"] == ["PER", "LOC", "ORG"]
    assert model["limits"]["max_tokens"] == 20_000
    assert isinstance(model["created"], int)
    assert server.post({"text": NOTES, "model": "tiny-ner"}).body == server.post({"text": NOTES}).body


def test_probes(server: Served) -> None:
    assert (server.get("/healthz").status, server.get("/healthz").json()) == (200, {"status": "ok"})
    assert (server.get("/readyz").status, server.get("/readyz").json()) == (200, {"status": "ready"})
    assert server.request("HEAD", "/readyz").status == 200


def metric(server: Served, name: str) -> float:
    text = server.get("/metrics").body.decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


def test_metrics_add_up_over_workers(server: Served) -> None:
    names = ("seqserve_tokens_tagged_total", 'seqserve_requests_total{model="tiny-ner",route="/v1/tag",status="200"}')
    before = [metric(server, name) for name in names]
    for _ in range(20):
        server.post({"tokens": ["Teddy", "Roosevelt", "came"]})
    assert [metric(server, name) for name in names] == [before[0] + 60, before[1] + 20]


def test_metrics_name_no_path_that_clients_invent(server: Served) -> None:
    server.get("/made-up-path")
    assert "made-up-path" not in server.get("/metrics").body.decode()


def test_logs_hold_no_text_of_users(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--access-log", "on", "--log-level", "debug")
    server.post({"text": "Xylophonia Quux"})
    server.post({"txet": "Xylophonia Quux"})
    server.get("/Xylophonia/Quux?Xylophonia")
    server.stop()  # a request's line is written after its answer
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    routes = [(line["method"], line["route"], line["status"]) for line in lines]
    assert routes[-3:] == [("POST", "/v1/tag", 200), ("POST", "/v1/tag", 422), ("GET", "unknown", 404)]
    assert lines[-3]["model"] == "tiny-ner"
    assert lines[-3]["total_ms"] >= lines[-3]["compute_ms"] > 0
    assert "Xylophonia" not in server.log
