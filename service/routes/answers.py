"""Structs as answers."""

import msgspec
from flask import Response


def json_answer(body: msgspec.Struct) -> Response:
    """Return a struct as JSON; the same struct gives the same bytes."""
    return Response(msgspec.json.encode(body), content_type="application/json")
