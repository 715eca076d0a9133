"""The command that sends made-up requests: a server that breaks its promises is found out."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

pytest.importorskip("schemathesis")

from benchmarks.schema_cases import MOST_STEPS

ROOT = Path(__file__).parents[2]
ANSWER = {"type": "object", "required": ["results"], "properties": {"results": {"type": "array"}}}
BODY = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "n": {"type": "integer", "minimum": 1, "maximum": 64},
        "max_tokens": {"type": "integer", "minimum": 1, "maximum": 4096},
    },
}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "liar", "version": "1"},
    "paths": {
        "/v1/sample": {
            "post": {
                "requestBody": {"required": True, "content": {"application/json": {"schema": BODY}}},
                "responses": {
                    "200": {"description": "OK", "content": {"application/json": {"schema": ANSWER}}},
                    "422": {"description": "no"},
                },
            }
        }
    },
}


class Liar(BaseHTTPRequestHandler):
    """Takes whatever comes for good, answers what it does not describe, and fails for n = 64."""

    protocol_version = "HTTP/1.1"
    steps: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        self._answer(200, DOCUMENT if self.path == "/openapi.json" else {"data": [{"id": "m"}]})

    def do_POST(self) -> None:
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
        except ValueError:
            self.close_connection = True  # without a word
            return
        body = body if isinstance(body, dict) else {}
        rows, most = body.get("n", 1), body.get("max_tokens", 100)
        if isinstance(rows, int) and isinstance(most, int) and 1 <= most <= 4096:
            self.steps.append(rows * most)
        self._answer(500 if rows == 64 else 200, {"result": []})

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Liar) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_a_liar_is_found_out_with_requests_that_show_it(port: int) -> None:
    # A process of its own: sessions that tests have opened set denormal numbers to zero, which hypothesis refuses.
    command = [sys.executable, "-m", "benchmarks.bad_input", "--port", str(port), "--cases", "120"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    found = dict(re.findall(r"^POST /v1/sample: ([^(]+?) \((\d+) times\)$", done.stdout, re.MULTILINE))
    assert {title.split(":")[0] for title in found} >= {
        "Server error",
        "Undocumented status code",
        "Response violates schema",
        "Schema-violating request accepted",
        "Wrong response to undeclared method",
        "Custom check failed",
        "No answer",
    }
    assert f"120 requests, {sum(map(int, found.values()))} broken promises" in done.stdout
    assert """curl -X POST -H 'Content-Type: application/json' -d '{"max_tokens": 1, "n": 64}'""" in done.stdout
    assert "was answered without X-Request-Id, Server-Timing" in done.stdout
    assert Liar.steps
    assert max(Liar.steps) <= MOST_STEPS
