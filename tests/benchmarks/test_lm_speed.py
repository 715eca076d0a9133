"""The speed benchmarks of language models: what the clients ask for, what is counted, what the report says."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from benchmarks import sampling, scoring
from benchmarks.running_service import RunningService, ServiceError
from benchmarks.sampling import Clients, Speeds, mixed_lengths
from seqserve.errors import SeqserveError
from seqserve.language.model import LanguageModelBundle
from tests.toy_language_model import ToyLanguageModel


class StandIn:
    """Answers as the service does, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(body)
        if path == "/v1/sample":
            return {"samples": [{"num_tokens": body["max_tokens"]}]}
        if "bad" in body["text"]:
            raise ServiceError("POST /v1/score answers 422")
        return {"results": [{"num_tokens": len(text.split())} for text in body["text"]]}


def as_service(stand_in: StandIn) -> RunningService:
    return cast(RunningService, stand_in)


def as_bundle(toy: object) -> LanguageModelBundle:
    return cast(LanguageModelBundle, toy)


@pytest.mark.parametrize(("ends", "asked"), [(True, {"ignore_eos": True}), (False, {})], ids=["ends", "runs on"])
def test_every_sample_has_its_seed_and_its_full_length(ends: bool, asked: dict[str, bool]) -> None:
    service = StandIn()
    clients = Clients(as_service(service), as_bundle(ToyLanguageModel(ends_sentences=ends)))
    assert clients.one_by_one([3, 4]) > 0
    assert clients.together([5, 6, 7]) > 0
    assert sorted(body.pop("max_tokens") for body in service.asked) == [3, 4, 5, 6, 7]
    assert len({body.pop("seed") for body in service.asked}) == 5
    assert service.asked == [asked] * 5


def test_lengths_of_a_mixture_alternate() -> None:
    assert mixed_lengths(4, 200) == [20, 200, 80, 140]
    assert len(mixed_lengths(5, 10)) == 5


def test_the_bare_graph_is_fed_its_own_state() -> None:
    fed: list[dict[str, Any]] = []

    def step(feeds: dict[str, Any]) -> dict[str, Any]:
        fed.append(dict(feeds))
        return {"next_ids": feeds["previous_ids"] + 1, "next_state": feeds["state"] + 1, "log_probs": None}

    bundle = SimpleNamespace(state_size=2, step_graph=SimpleNamespace(run=step))
    assert sampling.bare_tokens_per_s(as_bundle(bundle), 3, rows=2) > 0
    assert [feeds["previous_ids"].tolist() for feeds in fed] == [[-1, -1], [0, 0], [1, 1]]
    assert [float(feeds["state"][0, 0]) for feeds in fed] == [0.0, 1.0, 2.0]
    assert all(feeds["uniforms"].dtype == np.float32 for feeds in fed)


def test_report_has_the_ratios() -> None:
    speeds = {
        "4 streams, two workers": 900.0,
        "one at a time, two workers": 100.0,
        "4 streams of mixed lengths, two workers": 800.0,
        "4 streams, one worker": 500.0,
        "one at a time, one worker": 100.0,
        "bare step graph, one row": 110.0,
        "bare step graph, 4 rows": 625.0,
    }
    lines = Speeds(speeds).report(4).splitlines()
    assert "| 4 streams, two workers | 900 |" in lines
    assert lines[-3:] == [
        "- 4 streams against one at a time: 9.0 times on two workers, 5.0 times on one",
        "- time per token of one stream: 1.10 times the bare step graph's (10.00 ms against 9.09 ms)",
        "- 4 streams on one worker: 80% of the bare step graph",
    ]


def test_scoring_asks_for_every_text_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_TEXTS_A_REQUEST", 2)
    service = StandIn()
    assert scoring.http_tokens_per_s(as_service(service), ["a b", "c", "d", "e f", "g"], num_clients=2) > 0
    assert sorted(text for body in service.asked for text in body["text"]) == ["a b", "c", "d", "e f", "g"]
    assert {len(body["text"]) for body in service.asked} == {1, 2}


def test_an_answer_that_fails_ends_the_measurement() -> None:
    with pytest.raises(ServiceError, match="answers 422"):
        scoring.http_tokens_per_s(as_service(StandIn()), ["bad"], num_clients=2)


def test_scoring_is_reported_against_the_bare_graph() -> None:
    row = scoring.report({"bare graph, this process": 1000.0, "HTTP, one worker": 900.0}).splitlines()[-1]
    assert row == "| HTTP, one worker | 900 | 90% |"


def test_a_text_without_sentences_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "load_bundle", lambda folder, expected: ToyLanguageModel())
    text = tmp_path / "empty.txt"
    text.write_text("\n")
    with pytest.raises(SeqserveError, match=r"empty\.txt: it holds no sentences"):
        scoring.main(["unused", str(text)])
