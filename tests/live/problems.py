"""The one shape that errors have."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.live.served import Reply, Served

FINE = {"text": 'He said, "Teddy Roosevelt was a great President."'}


def check_problem(reply: Reply, status: int, code: str) -> dict[str, Any]:
    """Check status, code and shape of an error and return its body."""
    assert (reply.status, reply.json().get("code")) == (status, code), reply.body
    assert reply.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = reply.json()
    assert set(problem) == {"type", "title", "status", "detail", "code", "errors"}
    assert problem["status"] == status
    assert all(set(field) == {"pointer", "detail"} for field in problem["errors"])
    assert "Traceback" not in reply.body.decode()
    assert reply.headers["X-Request-Id"]
    assert reply.headers["Server-Timing"].startswith("queue;dur=")
    return problem


def check_one_is_refused(server: Served, path: str, body: dict[str, Any]) -> None:
    """Of two requests at a time, one too many for the queue, one is answered and one refused; later all is well."""
    with ThreadPoolExecutor(2) as pool:
        replies = sorted(pool.map(lambda _: server.post(body, path=path), range(2)), key=lambda reply: reply.status)
    assert replies[0].status == 200
    check_problem(replies[1], 503, "overloaded")
    assert int(replies[1].headers["Retry-After"]) >= 1
    assert server.post(body, path=path).status == 200
