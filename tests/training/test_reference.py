"""docs/configuration.md is what training/reference.py writes, and says something of every key."""

import dataclasses
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

from seqserve.training.kinds import CONFIGS
from seqserve.training.reference import COMMAND, keys_of, page

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def tables(table: typing.Any) -> Iterator[type]:
    """Yield a dataclass and all that its fields hold."""
    if dataclasses.is_dataclass(table):
        yield typing.cast(type, table)
        for hint in typing.get_type_hints(table).values():
            yield from tables(hint)
    for argument in typing.get_args(table):
        yield from tables(argument)


def test_the_page_is_what_is_generated() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), f"write it anew: {COMMAND}"


@pytest.mark.parametrize(
    "table", dict.fromkeys(each for config in CONFIGS.values() for each in tables(config)), ids=lambda t: t.__name__
)
def test_every_table_and_every_key_says_what_it_is(table: type) -> None:
    assert table.__doc__
    assert not table.__doc__.startswith(f"{table.__name__}(")
    assert not [key.name for key in keys_of(table) if not key.meaning]
