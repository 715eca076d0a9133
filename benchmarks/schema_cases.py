"""Requests made up from the server's own description by schemathesis, and what each answer must keep.

Three kinds: borders of every field (each limit met and just missed, each field left out, methods and content types that
are not described), random bodies that fit the description, and random bodies that do not.
"""

import json
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Err
from schemathesis.specs.openapi.checks import positive_data_acceptance

Case = schemathesis.Case[Any]
Operation = schemathesis.APIOperation[Any, Any, Any, Any]

MOST_STEPS = 2_000
"""Rows times tokens that a request may make a model write: 64 samples of 4096 tokens are allowed, and take minutes."""

_ANSWER_LIMIT_S = 60.0
_EVERYWHERE = ("X-Request-Id", "Server-Timing")
# Few bodies with a random value in every field get past the checks of how fields go together.
_LEFT_OUT = st.frozensets(st.integers(0, 15))
_DEFAULT_TOKENS = {"/v1/sample": 100, "/v1/transduce": 128}


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise that an answer broke; `curl` sends the request again."""

    operation: str
    title: str
    detail: str
    curl: str


class Tally:
    """What was sent and what came back; of like findings the one with the shortest request is kept."""

    def __init__(self) -> None:
        self.statuses: dict[str, Counter[int]] = {}
        self.slowest_s: dict[str, float] = {}
        self.findings: dict[tuple[str, str], Finding] = {}
        self.num_found: Counter[tuple[str, str]] = Counter()
        self._session = requests.Session()

    @property
    def total(self) -> int:
        """Requests sent."""
        return sum(counts.total() for counts in self.statuses.values())

    def send(self, case: Case) -> None:
        """Send one request and check its answer."""
        label = case.operation.label
        started = time.perf_counter()
        status = 0
        try:
            response = self._call(case)
            status = response.status_code
            case.validate_response(
                response,
                additional_checks=[_carries_what_every_answer_does],
                # A valid request may be refused all the same: a model that is not there, a text without a token.
                excluded_checks=[positive_data_acceptance],
            )
        except FailureGroup as group:
            for failure in group.exceptions:
                self._note(case, failure.title if isinstance(failure, Failure) else type(failure).__name__, failure)
        except requests.RequestException as error:
            self._note(case, "No answer", error)
        self.statuses.setdefault(label, Counter())[status] += 1
        self.slowest_s[label] = max(self.slowest_s.get(label, 0.0), time.perf_counter() - started)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _call(self, case: Case) -> schemathesis.Response:
        try:
            return case.call(session=self._session, timeout=_ANSWER_LIMIT_S)
        except requests.ConnectionError:
            # The server may close a connection just when the next request is on its way.
            return case.call(timeout=_ANSWER_LIMIT_S)

    def _note(self, case: Case, title: str, error: Exception) -> None:
        key = (case.operation.label, title)
        found = Finding(*key, str(error), case.as_curl_command())
        self.num_found[key] += 1
        if key not in self.findings or len(found.curl) < len(self.findings[key].curl):
            self.findings[key] = found


def load_schema(port: int) -> schemathesis.BaseSchema:
    """Read the description of a server on this machine."""
    base = f"http://127.0.0.1:{port}"
    with urllib.request.urlopen(f"{base}/openapi.json") as answer:
        document = json.load(answer)
    config = schemathesis.Config()  # given, so that no file of settings nearby is looked for
    # It would hide the values of all fields whose names hold "token", and the printed requests could not be sent.
    config.output.sanitization.update(enabled=False)
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.config.update(base_url=base)
    return schema


def model_names(port: int) -> list[str]:
    """Names of the models that a server has open."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models") as answer:
        return [model["id"] for model in json.load(answer)["data"]]


def operations(schema: schemathesis.BaseSchema) -> list[Operation]:
    """Return every operation; raises what is wrong with a description that cannot be read."""
    found = []
    for result in schema.get_all_operations():
        if isinstance(result, Err):
            raise result.err()
        found.append(result.ok())
    return found


def border_cases(schema: schemathesis.BaseSchema, operation: Operation) -> Iterator[Case]:
    """Yield the requests at the borders of an operation's description; always the same."""
    for case in schema.iter_coverage_cases(
        operation, generation_modes=list(schemathesis.GenerationMode), generation_config=schema.config.generation
    ):
        _limit_steps(case)
        yield case


def modes_of(operation: Operation) -> list[schemathesis.GenerationMode]:
    """Say which random requests there are: what has no body cannot be invalid, but by what `border_cases` sends."""
    modes = schemathesis.GenerationMode
    return [modes.POSITIVE, modes.NEGATIVE] if operation.body else [modes.POSITIVE]


def send_random(
    tally: Tally,
    operation: Operation,
    mode: schemathesis.GenerationMode,
    models: list[str],
    *,
    num_cases: int,
    seed: int,
) -> int:
    """Send up to `num_cases` random requests, about half to a model that is there; return how many there were."""
    before = tally.total
    names = st.none() | st.sampled_from(models) if operation.body or operation.path_parameters else st.none()
    numbers = _LEFT_OUT if operation.body else st.just(frozenset())

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=num_cases,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode), model=names, left_out=numbers)
    def explore(case: Case, model: str | None, left_out: Set[int]) -> None:
        _aim(case, model, left_out)
        _limit_steps(case)
        tally.send(case)

    explore()
    return tally.total - before


def _aim(case: Case, model: str | None, left_out: Set[int]) -> None:
    """Name a model that is there, since a made-up name only ever gives 404, and leave out fields by their number."""
    if isinstance(case.body, dict):
        fields = enumerate(sorted(case.body.items()))
        case.body = dict(field for number, field in fields if number not in left_out)
        if model is not None:
            case.body["model"] = model
    elif model is not None and "name" in case.path_parameters:
        case.path_parameters["name"] = model


def _limit_steps(case: Case) -> None:
    default = _DEFAULT_TOKENS.get(case.path)
    if default is None or not isinstance(case.body, dict):
        return
    body: Mapping[str, Any] = case.body
    rows, most = body.get("n", body.get("beams", 1)), body.get("max_tokens", default)
    if not (_is_whole(rows) and _is_whole(most) and 1 <= most <= 4096):
        return
    texts = body.get("text")
    rows = max(1, int(rows) * (len(texts) if isinstance(texts, list) else 1))
    if rows * most > MOST_STEPS:
        case.body = {**body, "max_tokens": max(1, MOST_STEPS // rows)}


def _is_whole(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1


def _carries_what_every_answer_does(_: schemathesis.CheckContext, response: schemathesis.Response, case: Case) -> None:
    missing = [name for name in _EVERYWHERE if not response.headers.get(name.lower())]
    assert not missing, f"{case.method} {case.path} was answered without {', '.join(missing)}"
