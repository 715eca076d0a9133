"""Recorded answers: the requests are always the same, a file holds them whole, a difference is shown where it is."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from benchmarks import recorded_answers
from benchmarks.recorded_answers import Recorded, difference, read, write
from benchmarks.recorded_requests import Request, make_requests
from seqserve.errors import SeqserveError
from tests.live.served import ROOT

MODELS = ROOT / "models"


def answered(answer: bytes, *, status: int = 200, answer_type: str = "application/json") -> Recorded:
    return Recorded(
        method="POST",
        path="/v1/tag",
        body=b"{}",
        content_type="application/json",
        status=status,
        answer_type=answer_type,
        answer=answer,
    )


def test_requests_are_the_same_every_time() -> None:
    assert make_requests(MODELS) == make_requests(MODELS)


def test_every_shipped_model_and_every_route_is_asked() -> None:
    requests = make_requests(MODELS)
    bodies = [
        json.loads(each.body) for each in requests if each.body.startswith(b'{"model": "') and b"seed" in each.body
    ]
    samplers = {body["model"] for body in bodies}
    assert {"lm-en", "lm-char-en", "lm-char-tang"} <= samplers
    asked = b"\n".join(each.body for each in requests)
    assert all(f'"model": "{folder.name}"'.encode() in asked for folder in MODELS.iterdir())
    routes = {each.path for each in requests if each.method == "POST"}
    assert {f"/v1/{name}" for name in ("tag", "score", "rank", "sample", "classify", "transduce")} <= routes


def test_every_sample_has_a_seed() -> None:
    bodies = [
        each.body for each in make_requests(MODELS) if each.path == "/v1/sample" and b'"max_tokens": 24' in each.body
    ]
    assert bodies
    assert all(b'"seed"' in body for body in bodies)


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    recorded = [answered(b"\xff\x00\n"), answered("é".encode(), status=422)]
    write(tmp_path / "answers.gz", recorded)
    assert read(tmp_path / "answers.gz") == recorded


def test_the_same_answers_give_the_same_file(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write(tmp_path / name, [answered(b"x")])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


@pytest.mark.parametrize("data", [b"", b"{}\n", b"\x1f\x8b\x08\x00"], ids=["empty", "plain", "cut"])
def test_another_file_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(SeqserveError, match="recorded answers"):
        read(tmp_path / "file")


def test_the_same_answer_is_no_difference() -> None:
    assert difference(answered(b"x"), answered(b"x")) == ""


def test_a_difference_names_the_first_byte() -> None:
    assert difference(answered(b'{"a":1}'), answered(b'{"a":2}')) == """byte 5: '{"a":1}', now '{"a":2}'"""


def test_a_longer_answer_differs_at_its_end() -> None:
    assert difference(answered(b"ab"), answered(b"abc")).startswith("byte 2: ")


def test_status_and_content_type_are_compared() -> None:
    text = difference(answered(b"x"), answered(b"x", status=404, answer_type="text/plain"))
    assert text == "status 200, now 404; content type application/json, now text/plain"


def stream(*events: str) -> Recorded:
    data = "".join(f"data: {event}\n\n" for event in events)
    return answered(data.encode(), answer_type="text/event-stream")


def test_the_order_between_the_samples_of_a_stream_is_no_difference() -> None:
    first, second = '{"index":0,"text":"a"}', '{"index":1,"text":"b"}'
    assert difference(stream(first, second, "[DONE]"), stream(second, first, "[DONE]")) == ""


def test_the_pieces_of_a_stream_are_no_difference() -> None:
    end = '{"index":0,"finish_reason":"eos"}'
    whole = '{"index":0,"text":"ab","log_prob":-3,"tokens":[1,2]}'
    first, second = '{"index":0,"text":"a","log_prob":-1,"tokens":[1]}', '{"index":0,"text":"b","tokens":[2]}'
    assert difference(stream(whole, end), stream(first, second, end)) == ""


@pytest.mark.parametrize(
    "events",
    [
        ('{"index":0,"text":"b"}', '{"index":0,"text":"a"}', "[DONE]"),
        ('{"index":0,"text":"a"}', '{"index":0,"text":"b"}'),
        ('{"index":0,"text":"ab"}', '{"error":{}}', "[DONE]"),
        ('{"index":0,"text":"ab","finish_reason":"eos"}', "[DONE]"),
    ],
    ids=["order", "cut", "error", "end"],
)
def test_the_content_of_a_stream_is_compared(events: tuple[str, ...]) -> None:
    assert difference(stream('{"index":0,"text":"ab"}', "[DONE]"), stream(*events))


def test_compare_sends_what_the_file_holds_and_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(address: str, requests: Iterable[Request]) -> list[Recorded]:
        assert address == "127.0.0.1:1"
        return [answered(b"new") for _ in requests]

    monkeypatch.setattr(recorded_answers, "ask", ask)
    write(tmp_path / "file", [answered(b"old"), answered(b"new")])
    assert recorded_answers.main(["compare", str(tmp_path / "file"), "--url", "http://127.0.0.1:1"]) == 1
    assert capsys.readouterr().out.startswith("1 of 2 answers are the same bytes\nPOST /v1/tag {}\n  byte 0: ")
