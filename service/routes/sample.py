"""POST /v1/sample: new text, at once or as a stream of Server-Sent Events."""

import logging
import time
from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from seqserve.errors import RequestError
from seqserve.language.answers import SampleEnd, SamplePiece, SampleResult
from seqserve.language.load import LANGUAGE_MODEL
from seqserve.language.options import SampleOptions, Seed
from seqserve.language.pipeline.sample import SamplePlan, SampleReader, plan_samples
from seqserve.service.answers import Answer, large_json_answer
from seqserve.service.body import from_body
from seqserve.service.context import Exchange, exchange
from seqserve.service.engine.cancellation import ClientLeftError
from seqserve.service.engine.event_loop import in_turn_if_large
from seqserve.service.engine.models import LanguageModel
from seqserve.service.engine.sampling.handle import SampleHandle
from seqserve.service.errors import InternalError
from seqserve.service.problems import Problem, problem_of
from seqserve.service.routes.route import ERRORS_OF_WORK, Route
from seqserve.service.routes.work import LanguageModelName, Response, find_model

HEARTBEAT_S = 5.0
"""Interval of comments in a silent stream: proxies cut streams that are silent for a minute or less."""

_EVENTS_AT_ONCE = 64
_STREAM_HEADERS = (("Cache-Control", "no-cache"), ("X-Accel-Buffering", "no"))
_HEARTBEAT = b":\n\n"
_DONE = b"data: [DONE]\n\n"

logger = logging.getLogger("seqserve")


class SampleRequest(SampleOptions, forbid_unknown_fields=True, kw_only=True):
    """How new text is to be drawn, token by token."""

    model: LanguageModelName = None
    stream: Annotated[bool, Meta(description="Answer with Server-Sent Events, piece by piece.")] = False


class SampleResponse(Response, kw_only=True):
    """`n` samples; `seed` draws them again."""

    seed: Seed
    samples: list[SampleResult]


class StreamError(Struct, kw_only=True):
    """The last event of a stream that cannot go on."""

    error: Problem


def sample() -> Answer:
    """Answer one request."""
    here = exchange()
    model, plan, streams = from_body(here, SampleRequest, _read)
    if plan.wants_tokens and not streams:
        here.expect_items(sum(spec.max_tokens for spec in plan.specs))
    handle = model.decoder.submit(plan.specs, cancellation=here.cancellation, streams=streams)
    if streams:
        return _stream(plan, handle, here)
    samples = handle.wait()
    _time(handle, here)
    num_tokens = sum(len(each.ids) for each in samples)
    results = in_turn_if_large(num_tokens, lambda: plan.results(samples), cancellation=here.cancellation)
    response = SampleResponse(
        model=model.manifest.name, version=model.manifest.version, seed=plan.seed, samples=results
    )
    return large_json_answer(response, num_items=num_tokens, cancellation=here.cancellation)


def _read(here: Exchange, body: SampleRequest) -> tuple[LanguageModel, SamplePlan, bool]:
    model = find_model(here, body.model, LANGUAGE_MODEL)
    assert isinstance(model, LanguageModel), "it has a decoder"
    longest = here.service.settings.max_prompt_tokens
    return model, plan_samples(model.bundle, body, max_prompt_tokens=longest), body.stream


def _stream(plan: SamplePlan, handle: SampleHandle, here: Exchange) -> Answer:
    # These are also called for a client that left before the first event, when the generator has not begun.
    here.at_end += [handle.cancel, lambda: _time(handle, here)]
    headers = [*_STREAM_HEADERS, ("X-Seed", str(plan.seed))]
    return Answer(_chunks(plan, handle, here.request_id), content_type="text/event-stream", headers=headers)


def _time(handle: SampleHandle, here: Exchange) -> None:
    """Note the seconds in which the samples waited and were drawn."""
    here.queue_s, here.compute_s = handle.queue_s, handle.compute_s


def _chunks(plan: SamplePlan, handle: SampleHandle, request_id: str) -> Iterator[bytes]:
    """Yield events as they come, some together. The headers were sent before, so an error is an event too."""
    try:
        told_at = time.monotonic()
        for events in _events(plan, handle):
            now = time.monotonic()
            if events:
                yield b"".join(_event(event) for event in events)
                told_at = now
            elif now - told_at >= HEARTBEAT_S:
                yield _HEARTBEAT
                told_at = now
        yield _DONE
    except ClientLeftError:
        return
    except Exception as error:
        failure = error if isinstance(error, RequestError) else InternalError("Something failed inside the server.")
        if isinstance(failure, InternalError):
            logger.error("a stream failed, request %s", request_id, exc_info=failure.__cause__ or error)
        yield _event(StreamError(error=problem_of(failure)))


def _events(plan: SamplePlan, handle: SampleHandle) -> Iterator[list[SamplePiece | SampleEnd]]:
    """Yield the events of a stream as they come, some together; an empty list after HEARTBEAT_S without an event.

    Raises the error that ended the request, see SampleHandle.check.
    """
    readers = plan.readers(handle.samples)
    while readers:
        handle.wait_for_news(HEARTBEAT_S)
        try:
            handle.check()
        except Exception:  # the samples drawn before it come first, and do not depend on the speed of the client
            yield from _in_pieces(readers)
            raise
        yield from _in_pieces(readers)
        readers = [reader for reader in readers if not reader.is_done]


def _in_pieces(readers: Sequence[SampleReader]) -> Iterator[list[SamplePiece | SampleEnd]]:
    """Yield the events that can be read, at least one list, in short lists: other requests run in between."""
    events: list[SamplePiece | SampleEnd] = []
    for reader in readers:
        for event in reader.read():
            events.append(event)
            if len(events) >= _EVENTS_AT_ONCE:
                yield events
                events = []
    yield events


def _event(body: msgspec.Struct) -> bytes:
    # JSON holds no line break, so an event is one line.
    return b"data: " + msgspec.json.encode(body) + b"\n\n"


ROUTE = Route(
    sample,
    "POST",
    "/v1/sample",
    "Write new text with a language model, the same for the same seed. With stream, Server-Sent Events: pieces of "
    "text, an end for each sample, then [DONE], or an error and no [DONE]; X-Seed holds the seed.",
    SampleResponse,
    SampleRequest,
    {
        "three sentences": {"value": {"n": 3, "temperature": 0.8, "seed": 42}},
        "as it is written": {"value": {"prompt": "The", "max_tokens": 30, "stop": [". "], "stream": True}},
    },
    tuple(code for code in ERRORS_OF_WORK if code != "too_many_texts"),
    (SamplePiece, SampleEnd, StreamError),
)
