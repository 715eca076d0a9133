"""Every error has a code, a status and a title."""

import pytest

import seqserve.errors
import seqserve.service.errors
from seqserve.errors import RequestError
from seqserve.service.errors import KINDS

ERRORS = {
    each
    for module in (seqserve.errors, seqserve.service.errors)
    for each in vars(module).values()
    if isinstance(each, type) and issubclass(each, RequestError) and each is not RequestError
}


def test_the_codes_of_all_errors_are_those_of_the_table() -> None:
    assert sorted(error.code for error in ERRORS) == sorted(KINDS)


@pytest.mark.parametrize("error", sorted(ERRORS, key=lambda error: error.__name__))
def test_an_error_is_explained_by_one_sentence(error: type[RequestError]) -> None:
    assert error.__doc__ is not None
    assert error.__doc__.splitlines()[0].endswith(".")
