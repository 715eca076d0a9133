"""POST /v1/sample around toy models: what answers and streams look like, and what is refused."""

import json
import math
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from seqserve.service.routes import sample as sample_route
from tests.service.toys import open_toy
from tests.toy_language_model import TOKENS

MakeApp = Callable[..., Flask]

WORD = {"model": "toy-word", "seed": 3}
CHARACTER = {"model": "toy-character", "seed": 3}


@pytest.fixture
def client(make_app: MakeApp) -> FlaskClient:
    """A server with a tagger, a word model and a character model of running text."""
    return make_app(models=[open_toy(), open_toy("character", ends_sentences=False)]).test_client()


def ask(client: FlaskClient, **body: object) -> dict[str, Any]:
    """Send a request that must be answered."""
    reply = client.post("/v1/sample", json=body)
    assert reply.status_code == 200, reply.data
    answer: dict[str, Any] = reply.json
    return answer


def stream(client: FlaskClient, **body: object) -> list[dict[str, Any]]:
    """Send a request that must be answered and return the events of its stream but the last, [DONE]."""
    reply = client.post("/v1/sample", json={**body, "stream": True})
    assert reply.status_code == 200, reply.data
    *events, done, rest = reply.data.decode().split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events if not event.startswith(":")]


def test_the_shape_of_an_answer(client: FlaskClient) -> None:
    answer = ask(client, **WORD, n=3, include=["tokens"], max_tokens=20)
    assert list(answer) == ["model", "version", "seed", "samples"]
    assert (answer["model"], answer["version"], answer["seed"]) == ("toy-word", "1", 3)
    assert len(answer["samples"]) == 3
    for sample in answer["samples"]:
        assert list(sample) == ["text", "num_tokens", "log_prob", "finish_reason", "tokens"]
        assert sample["num_tokens"] == len(sample["tokens"]) <= 20
        assert sample["log_prob"] == pytest.approx(sum(token["log_prob"] for token in sample["tokens"]))
        forms = [token["text"] for token in sample["tokens"]]
        assert (forms[-1] == "<EOS>") is (sample["finish_reason"] == "eos")
        assert sample["text"] == " ".join(form for form in forms if form != "<EOS>")


def test_the_log_prob_is_the_one_that_scoring_gives(client: FlaskClient) -> None:
    body = {"prompt": "the cat", "temperature": 0.7, "top_k": 4, "repetition_penalty": 1.3, "n": 8}
    for sample in ask(client, **WORD, **body, max_tokens=200)["samples"]:
        assert sample["finish_reason"] == "eos"
        scored = client.post("/v1/score", json={"text": sample["text"], "context": "the cat", "model": "toy-word"})
        assert scored.json["results"][0]["log_prob"] == pytest.approx(sample["log_prob"], abs=1e-4)


def test_tokens_are_absent_unless_asked_for(client: FlaskClient) -> None:
    (sample,) = ask(client, **WORD)["samples"]
    assert "tokens" not in sample


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(client: FlaskClient) -> None:
    body = {**WORD, "n": 8}
    first, second = (client.post("/v1/sample", json=body).data for _ in range(2))
    assert first == second
    assert ask(client, **{**body, "seed": 4})["samples"] != json.loads(first)["samples"]


def test_a_drawn_seed_draws_the_same_again(client: FlaskClient) -> None:
    first = ask(client, model="toy-word", n=8)
    assert ask(client, model="toy-word", n=8, seed=first["seed"]) == first
    assert ask(client, model="toy-word", n=8)["seed"] != first["seed"]


@pytest.mark.parametrize("seed", [0, 2**53 + 1, 2**63, 2**64 - 1])
def test_seeds_of_64_bits_survive(client: FlaskClient, seed: int) -> None:
    assert ask(client, model="toy-word", seed=seed)["seed"] == seed


def test_fewer_samples_are_the_first_of_more(client: FlaskClient) -> None:
    samples = ask(client, **WORD, n=8)["samples"]
    assert [ask(client, **WORD, n=count)["samples"] for count in (1, 3)] == [samples[:1], samples[:3]]


STREAMED = {
    "words": {**WORD, "n": 5, "max_tokens": 30},
    "characters": {**CHARACTER, "n": 5, "max_tokens": 30},
    "stop strings": {**CHARACTER, "n": 20, "max_tokens": 60, "stop": ["aa", "b.b", "é\n"]},
    "words of a prompt": {**WORD, "n": 3, "prompt": "the cat ", "ignore_eos": True, "max_tokens": 12},
    "a stop string across words": {**WORD, "n": 20, "stop": ["t s", "ran ran"], "ignore_eos": True},
    "one token": {**WORD, "max_tokens": 1},
}


@pytest.mark.parametrize("body", STREAMED.values(), ids=STREAMED)
@pytest.mark.parametrize("include", [[], ["tokens"]], ids=["pieces", "tokens"])
def test_a_stream_is_the_answer_in_pieces(client: FlaskClient, body: dict[str, Any], include: list[str]) -> None:
    samples = ask(client, **body, include=include)["samples"]
    events = stream(client, **body, include=include)
    for index, sample in enumerate(samples):
        *pieces, end = [event for event in events if event["index"] == index]
        names = ["index", "text", "log_prob", "tokens"][: 4 if include else 3]
        assert all(list(piece) == names and piece["text"] for piece in pieces)
        assert "".join(piece["text"] for piece in pieces) == sample["text"]
        assert {key: end[key] for key in ("finish_reason", "num_tokens", "log_prob")} == {
            key: sample[key] for key in ("finish_reason", "num_tokens", "log_prob")
        }
        if include:
            assert [token for event in (*pieces, end) for token in event["tokens"]] == sample["tokens"]
            for piece in pieces:
                assert piece["log_prob"] == math.fsum(token["log_prob"] for token in piece["tokens"])


def test_a_stream_says_that_it_must_not_be_kept(client: FlaskClient) -> None:
    reply = client.post("/v1/sample", json={"model": "toy-word", "stream": True})
    assert reply.content_type.startswith("text/event-stream")
    assert (reply.headers["Cache-Control"], reply.headers["X-Accel-Buffering"]) == ("no-cache", "no")
    again = {"model": "toy-word", "seed": int(reply.headers["X-Seed"])}
    assert stream(client, **again) == [
        json.loads(event.removeprefix("data: ")) for event in reply.data.decode().split("\n\n")[:-2]
    ]


def test_temperature_0_takes_the_most_likely_token(client: FlaskClient) -> None:
    sample, other = (ask(client, model="toy-word", temperature=0, include=["tokens"], seed=seed) for seed in (1, 2))
    assert sample["samples"] == other["samples"]
    scored = client.post(
        "/v1/score",
        json={
            "text": sample["samples"][0]["text"],
            "model": "toy-word",
            "include": ["tokens"],
            "top": 3,
            "eos": sample["samples"][0]["finish_reason"] == "eos",
        },
    ).json["results"][0]["tokens"]
    for token in scored:
        assert token["text"] == next(item["text"] for item in token["top"] if item["text"] != "<UNK>")


@pytest.mark.parametrize("temperature", [1e-300, 1e-5, 1e300])
def test_temperatures_beyond_float32_are_no_error(client: FlaskClient, temperature: float) -> None:
    assert ask(client, **WORD, temperature=temperature)["samples"][0]["num_tokens"] > 0


@pytest.mark.parametrize("penalty", [1e-300, 0.5, 2.0, 1e300])
def test_repetition_penalties_beyond_float32_are_no_error(client: FlaskClient, penalty: float) -> None:
    assert ask(client, **WORD, repetition_penalty=penalty, prompt="the cat")["samples"][0]["num_tokens"] > 0


def test_tiny_top_p_is_the_most_likely_token(client: FlaskClient) -> None:
    greedy = ask(client, **WORD, temperature=0)
    assert ask(client, **WORD, top_p=1e-300)["samples"] == greedy["samples"]
    assert ask(client, **WORD, top_k=1)["samples"] == greedy["samples"]


def test_min_tokens_and_max_tokens(client: FlaskClient) -> None:
    for sample in ask(client, **WORD, n=32, min_tokens=5, max_tokens=9)["samples"]:
        assert sample["num_tokens"] == 9 or (sample["num_tokens"] > 5 and sample["finish_reason"] == "eos")


def test_unknown_is_drawn_only_where_allowed(client: FlaskClient) -> None:
    def forms(**extra: object) -> set[str]:
        body = {**WORD, "n": 32, "max_tokens": 40, "include": ["tokens"], "ignore_eos": True, **extra}
        return {token["text"] for sample in ask(client, **body)["samples"] for token in sample["tokens"]}

    assert "<UNK>" not in forms()
    assert "<UNK>" in forms(allow_unknown=True)
    assert "<EOS>" not in forms()
    assert "<EOS>" in forms(ignore_eos=False)
    assert not {"cat", "."} & forms(banned=["cat", "."])


def test_a_model_of_running_text_never_ends_by_itself(client: FlaskClient) -> None:
    samples = ask(client, **CHARACTER, n=16, max_tokens=80)["samples"]
    assert {(sample["num_tokens"], sample["finish_reason"], len(sample["text"])) for sample in samples} == {
        (80, "length", 80)
    }


def test_a_stop_string_is_no_part_of_the_text_but_counts(client: FlaskClient) -> None:
    for sample in ask(client, **CHARACTER, n=32, max_tokens=400, stop=["aa"], include=["tokens"])["samples"]:
        drawn = "".join(token["text"] for token in sample["tokens"])
        if sample["finish_reason"] == "stop":
            assert drawn == sample["text"] + "aa"
        assert "aa" not in sample["text"]
        assert sample["num_tokens"] == len(drawn)


def test_a_stop_string_in_the_prompt_stops_nothing(client: FlaskClient) -> None:
    (sample,) = ask(client, **CHARACTER, prompt="aa", stop=["aab."], max_tokens=3)["samples"]
    assert sample["num_tokens"] == 3


def test_the_text_goes_on_from_the_prompt(client: FlaskClient) -> None:
    body = {**WORD, "ignore_eos": True, "max_tokens": 3}
    assert ask(client, **body, prompt="the cat")["samples"][0]["text"].startswith(" ")
    spaced = ask(client, **body, prompt="the cat ")["samples"][0]["text"]
    assert not spaced.startswith(" ")
    assert f" {spaced}" == ask(client, **body, prompt="the cat")["samples"][0]["text"]


def test_with_all_but_the_end_banned_the_text_is_empty(client: FlaskClient) -> None:
    (sample,) = ask(client, **WORD, banned=[*TOKENS["word"], "cat"])["samples"]
    assert (sample["text"], sample["num_tokens"], sample["finish_reason"]) == ("", 1, "eos")
    assert stream(client, **WORD, banned=list(TOKENS["word"])) == [
        {"index": 0, "finish_reason": "eos", "num_tokens": 1, "log_prob": sample["log_prob"]}
    ]


def test_sampled_tokens_are_counted(client: FlaskClient) -> None:
    answer = ask(client, **WORD, n=7)
    metrics = client.get("/metrics").data.decode()
    num_tokens = sum(sample["num_tokens"] for sample in answer["samples"])
    assert f'seqserve_tokens_sampled_total{{model="toy-word"}} {num_tokens}.0' in metrics
    assert 'seqserve_active_samples{model="toy-word"} 0.0' in metrics


def test_a_stream_is_counted_with_its_whole_time(make_app: MakeApp) -> None:
    app = make_app(models=[open_toy()])
    client = app.test_client()
    reply = client.post("/v1/sample", json={**WORD, "stream": True})
    begun = 'seqserve_total_seconds_count{route="/v1/sample"}'
    assert begun not in client.get("/metrics").text
    assert reply.data.endswith(b"data: [DONE]\n\n")
    reply.close()
    metrics = client.get("/metrics").text
    for name in ("seqserve_total_seconds", "seqserve_queue_seconds", "seqserve_compute_seconds"):
        assert f'{name}_count{{route="/v1/sample"}} 1.0' in metrics
    assert 'seqserve_requests_total{model="toy-word",route="/v1/sample",status="200"} 1.0' in metrics


def test_a_silent_stream_says_that_it_lives(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_route, "HEARTBEAT_S", 0.001)
    model, permit = open_toy(), threading.Event()
    run = model.bundle.run_step

    def wait(batch: Any) -> Any:
        assert permit.wait(60)
        return run(batch)

    model.bundle.run_step = wait  # type: ignore[method-assign]
    client = make_app(models=[model]).test_client()
    reply = client.post("/v1/sample", json={**WORD, "stream": True, "max_tokens": 1})
    chunks = reply.iter_encoded()
    assert [next(chunks), next(chunks)] == [b":\n\n"] * 2
    permit.set()
    assert b"".join(chunks).endswith(b"data: [DONE]\n\n")


def test_a_reply_that_is_closed_before_its_first_event_frees_its_slot(client: FlaskClient) -> None:
    reply = client.post("/v1/sample", json={**CHARACTER, "stream": True, "max_tokens": 4096, "n": 64})
    reply.close()  # what is left running would fail the test
