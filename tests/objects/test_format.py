"""docs/format.md says what the code does: numbers, kinds, constants."""

from __future__ import annotations

import re

from gvstore.objects import chunking, number
from gvstore.objects.kind import Kind
from tests.transcript import ROOT
from tests.vectors.test_objects import EXPECTED

PAGE = (ROOT / "docs" / "format.md").read_text()


def test_every_type_number_is_in_the_table() -> None:
    """The table of type numbers is number.py's, in order."""
    numbers = {name: value for name, value in vars(number).items() if name.isupper()}

    assert {name: int(at) for at, name in re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", PAGE, re.MULTILINE)} == numbers
    assert len(numbers) == len(set(numbers.values()))


def test_every_kind_is_in_the_table() -> None:
    """So is the table of kinds."""
    rows = re.findall(r"^\| `(.)` ([0-9a-f]{2}) \| (\w+) \|", PAGE, re.MULTILINE)

    assert [(chr(kind), f"{kind:x}", kind.word) for kind in Kind] == rows


def test_constants() -> None:
    """And every constant that determines an oid."""
    for value in (
        chunking.LINK_THRESHOLD, chunking.HEIGHT_LIMIT, chunking.SPLIT_THRESHOLD, chunking.NODE_MAX,
        chunking.NODE_MIN_ITEMS, chunking.TEXT_THRESHOLD,
    ):  # fmt: skip
        assert f"**{value:,}**" in PAGE
    for value in (chunking.BLOB_THRESHOLD, chunking.TEXT_MEAN, chunking.BLOB_MEAN, 2**32 // chunking.NODE_MEAN):
        assert f"{value:,}" in PAGE
    assert f"({len(EXPECTED)} values and records" in PAGE.replace("\n", " ")
