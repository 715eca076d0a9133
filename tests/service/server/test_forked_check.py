"""Something tried in a process of its own."""

import os
import signal
from collections.abc import Callable

import pytest

from bundle.errors import BundleError, SeqserveError
from service.server.forked_check import Trial


def outcome(function: Callable[[], object]) -> None:
    trial = Trial(function)
    while not trial.is_over(60):
        pass
    os.wait()
    trial.check()


def fail(error: BaseException) -> None:
    raise error


def test_what_goes_well_is_not_told() -> None:
    outcome(lambda: "anything")


def test_an_error_on_purpose_is_told() -> None:
    with pytest.raises(SeqserveError, match=r"words\.txt: wrong checksum"):
        outcome(lambda: fail(BundleError("words.txt: wrong checksum")))


def test_a_bug_is_told_as_one() -> None:
    with pytest.raises(SeqserveError, match=r"checking failed: ZeroDivisionError"):
        outcome(lambda: 1 / 0)


def test_a_crash_is_told() -> None:
    with pytest.raises(SeqserveError, match="crashed the process"):
        outcome(lambda: os.kill(os.getpid(), signal.SIGKILL))
