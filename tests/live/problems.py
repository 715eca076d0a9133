"""The one shape that errors have."""

from typing import Any

from tests.live.served import Reply

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
