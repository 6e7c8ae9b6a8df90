"""Any answer has a JSON form, and it is JSON indeed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gvstore.cli.json_form import dump
from gvstore.cli.output import HIDDEN
from gvstore.objects.oid import ObjectId

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(SCALARS.filter(lambda k: k == k), inner),
    max_leaves=20,
)


@given(VALUES)
def test_every_value_is_strict_json(value: object) -> None:
    """No NaN, no lone surrogate, no key that is no text makes a reader stumble."""

    def refuse(text: str) -> None:
        raise AssertionError(text)

    json.loads(dump(value).encode("utf-8", "backslashreplace"), parse_constant=refuse)


def form(value: object) -> Any:
    """Returns what a reader of the document gets."""
    return json.loads(dump(value))


class Colour(Enum):
    """Something with a name."""

    RED = 1


@dataclass(frozen=True)
class Point:
    """Somebody's record."""

    x: int
    label: str = field(default="p", metadata=HIDDEN)


def test_each_type_has_its_form() -> None:
    """docs/json.md's table."""
    noon = datetime(2026, 11, 20, 12, tzinfo=timezone(timedelta(hours=2)))
    oid = ObjectId.of(b"b")

    assert oid.hex() == form(oid)
    assert "2026-11-20T10:00:00.000000Z" == form(noon.astimezone(UTC)) == form(noon)
    assert "a/b" == form(Path("a/b"))
    assert {"$type": f"{__name__}.Colour", "text": "RED"} == form(Colour.RED)
    assert [{"$type": f"{__name__}.Point", "x": 1}] == form([Point(1)])
    assert {"$type": "bytes", "base64": "AP8="} == form(b"\x00\xff")
    assert {"$type": "float", "text": "nan"} == form(float("nan"))
    assert {"$type": "dict", "items": [[1, 2]]} == form({1: 2})
    assert {"$type": "dict", "items": [["$type", 2]]} == form({"$type": 2})
    assert {"$type": "set", "items": [1]} == form({1})
    assert {"$type": "int", "hex": hex(10**5000)} == form(10**5000)


def test_depth_is_no_event() -> None:
    """Every text is there, however deep it lies; so are brackets that fit."""
    value: list[object] = ["bottom"]
    for _ in range(100_000):
        value = [value]
    written = dump(value)

    assert "[" * 100_001 + '"bottom"' + "]" * 100_001 == written
    while value and type(value[0]) is list:  # freed level by level: the interpreter would recurse
        value = value.pop()  # type: ignore[assignment]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text().filter(lambda key: key != "$type"), inner),
)


@given(PLAIN)
def test_written_as_json_writes_it(value: object) -> None:
    """What JSON has is spelled as Python's json spells it."""

    assert json.dumps(value) == dump(value, ascii_only=True)
    assert json.dumps(value, ensure_ascii=False) == dump(value)
