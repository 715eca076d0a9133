"""A refused body leaves nothing to the garbage collector, which a worker seldom runs."""

import contextlib
import gc

import pytest

from seqserve.errors import RequestError
from seqserve.service.body import decode_json
from seqserve.service.routes.tag import TagRequest

LARGE = 100_000 * b" "


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"text": 1}', id="wrong type"),
        pytest.param(b'{"text": "a", "nothing": 1}', id="unknown field"),
        pytest.param(b'{"text": "a", "nothing": 1}' + LARGE, id="large"),
        pytest.param(b'{"min_score": 1e999}', id="huge number"),
        pytest.param(b'{"text": ', id="cut"),
        pytest.param(b'{"text": 1} more', id="no JSON after a wrong type"),
    ],
)
def test_a_refused_body_is_freed_with_its_error(data: bytes) -> None:
    def refuse() -> None:
        with contextlib.suppress(RequestError):
            decode_json(data, TagRequest)

    refuse()
    gc.disable()
    gc.freeze()  # what other tests have left: looking through it takes most of a second
    try:
        refuse()
        assert gc.collect() == 0
    finally:
        gc.unfreeze()
        gc.enable()
