"""The tagger's torch module behind plain Flask and gunicorn: two processes of one torch thread, no batching.

Its entities have no scores: the module runs Viterbi, the graph also gives posteriors. With 32 clients
and other work on the machine: 110 and 109 requests a core-second.
"""

import os
import sys

import msgspec
import torch
from flask import Flask, Response, request

from benchmarks.peers.eager_tagger import eager_tagging_of
from benchmarks.peers.settings import PROCESSES, given

_THREADS = 1


def create_app() -> Flask:
    """The application of one worker process, with its own module."""
    torch.set_num_threads(1)
    tagging = eager_tagging_of(given().bundle)
    app = Flask(__name__)

    @app.post("/tag")
    def tag() -> Response:
        text = msgspec.json.decode(request.get_data())["text"]
        (found,) = tagging.entities([text])
        return Response(msgspec.json.encode({"entities": found}), mimetype="application/json")

    return app


def main() -> None:
    """Become gunicorn."""
    command = [sys.executable, "-m", "gunicorn", "benchmarks.peers.serve_torch_eager:create_app()"]
    command += ["--workers", str(PROCESSES), "--worker-class", "gthread", "--threads", str(_THREADS)]
    command += ["--bind", f"127.0.0.1:{given().port}", "--keep-alive", "60", "--log-level", "warning"]
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main()
