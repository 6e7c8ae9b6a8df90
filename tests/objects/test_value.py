"""The laws of values: what comes out is what went in, and different things have different bytes."""

from __future__ import annotations

import collections
import datetime
import decimal
import struct
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gvstore.objects.decode import get_value
from gvstore.objects.encode import Encoder, _Long
from gvstore.objects.value import put_value
from tests.objects.store import Objects
from tests.strategies import Label, Level, Pair, Point, Whole, identical, texts, values


def round_trip(value: Any) -> Any:
    store = Objects()
    return get_value(store, put_value(store, value))


@settings(max_examples=400, deadline=None)
@given(values(30))
def test_what_comes_out_is_what_went_in(value: Any) -> None:
    """decode(encode(x)) is x, with types, order and bits; encoding it again gives the same oid; nothing was opaque."""
    store = Objects()
    opaque: list[Any] = []
    oid = put_value(store, value, lambda *told: opaque.append(told))
    back = get_value(store, oid)

    assert [] == opaque
    assert identical(value, back)
    assert oid == put_value(store, back)


@settings(max_examples=200, deadline=None)
@given(values(), values())
def test_different_values_have_different_bytes(a: Any, b: Any) -> None:
    """Two values have one oid if and only if they are identical."""
    store = Objects()

    assert identical(a, b) == (put_value(store, a) == put_value(store, b))


NAN, NAN_PAYLOAD = (struct.unpack(">d", bytes.fromhex(h))[0] for h in ("7ff8000000000000", "fff8000000000123"))
ALL_DIFFERENT = [
    True, 1, 1.0, complex(1), decimal.Decimal(1), decimal.Decimal("1.0"), Whole(1), Level.LOW, "1", b"1", bytearray(b"1"),
    False, 0, 0.0, -0.0, None, "", b"", (), [], {}, set(), frozenset(), ((),), [[]], ([],), [()], {(): ()},
    NAN, NAN_PAYLOAD, complex(0.0, -0.0), complex(-0.0, 0.0),
    [b"x", b"y"], [b"xby"], ["x", "y"], ["xy"], [["x"], "y"], [["x", "y"]], ("x", "y"), Pair("x", "y"), Point("x", "y"),
    "\u00e9", "e\u0301", "\udc80", b"\xed\xb2\x80", Label("\u00e9"),
    {"a": 1, "b": 2}, {"b": 2, "a": 1}, collections.OrderedDict(a=1, b=2), [("a", 1), ("b", 2)], {"a": 1, "b": 2.0},
    {"x"}, frozenset({"x"}), ["x"], 2**63, 2**64, -(2**63), -(2**63) - 1, 10**400, -(10**400), 2**64 - 1,
    datetime.datetime(2026, 1, 1), datetime.datetime(2026, 1, 1, fold=1), datetime.date(2026, 1, 1),
    datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(0), "GMT")),
    collections.deque([1]), collections.deque([1], 1), collections.Counter("a"), memoryview(b"x"), memoryview(bytearray(b"x")),
]  # fmt: skip


def test_near_values_are_told_apart() -> None:
    """Neighbours that == or a sloppy encoding confuses have bytes of their own, and come back identical."""
    store = Objects()
    seen: dict[bytes, Any] = {}
    for value in ALL_DIFFERENT:
        oid = put_value(store, value)

        assert oid not in seen, (value, seen[oid])
        assert identical(value, get_value(store, oid))
        seen[oid] = value


@settings(max_examples=200, deadline=None)
@given(values(20))
@example([2**70] * 3)
@example([{"a": "x" * 300}] * 5)
@example([Point(1, [2, 3])])
def test_both_ways_give_the_same_bytes(value: Any) -> None:
    """The quick way for small values and the long way with its stack agree."""
    quick, long = Objects(), Objects()
    encoder = Encoder(long)

    assert Encoder(quick).encode(value) == _Long(encoder, value).run()[0]
    assert Encoder(quick).nested(value) == encoder.place(*_Long(encoder, value).run())
    assert quick == long


@settings(max_examples=100, deadline=None)
@given(values(20))
def test_nested_is_encoded_or_linked(value: Any) -> None:
    """A part stands inline up to 256 bytes and is a link above; either way the same value."""
    store = Objects()
    part = Encoder(store).nested(value)
    whole = Encoder(store).encode([value])

    assert len(part) <= 256
    assert whole == b"\x92\x00" + part
    assert identical([value], round_trip([value]))


def tower(levels: int, step: Any) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = step(value)
    return value


@pytest.mark.parametrize("height", [1, 29, 30, 31, 32, 33, 34, 62, 63, 64, 65, 100, 1000])
@pytest.mark.parametrize("step", [lambda v: [v], lambda v: (v,), lambda v: {0: v}, lambda v: Point(v, 0)])
def test_height_is_no_limit(height: int, step: Any) -> None:
    """Containers nest across every multiple of the height at which one is linked."""
    value = tower(height, step)

    assert identical(value, round_trip(value))
    assert Encoder(Objects()).encode(value) == _Long(Encoder(Objects()), value).run()[0]


def test_a_hundred_thousand_levels() -> None:
    """Depth costs objects, not stack."""
    store = Objects()
    value = tower(100_000, lambda v: [v])
    back = get_value(store, put_value(store, value))
    depth = 0
    while type(back) is list:
        (back,) = back
        depth += 1

    assert 100_000 == depth
    assert len(store) < 100_000 / 30


@settings(max_examples=100, deadline=None)
@given(st.lists(texts(), max_size=5), st.integers(1, 40))
def test_copies_are_independent(items: list[str], times: int) -> None:
    """Aliasing is not stored: what stood twice comes out as two."""
    back = round_trip([items] * times)

    assert [items] * times == back
    assert times == len({id(each) for each in back})
