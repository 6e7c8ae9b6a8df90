"""Foreign bytes: what gvstore writes passes, what differs in a byte is refused or says something else, nothing else happens."""

from __future__ import annotations

import decimal
import enum
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gvstore.objects import number
from gvstore.objects.blob import put_blob
from gvstore.objects.check import check
from gvstore.objects.component import Component
from gvstore.objects.decode import decode, get_value
from gvstore.objects.encode import Encoder
from gvstore.objects.fault import CorruptObject, ObjectMissing
from gvstore.objects.links import links
from gvstore.objects.oid import ObjectId
from gvstore.objects.operation import Operation, RefChange
from gvstore.objects.placeholder import Unresolved
from gvstore.objects.sequence import ItemList
from gvstore.objects.tag import Tag
from gvstore.objects.value import put_value
from gvstore.objects.wire import pack
from tests.objects.store import Objects
from tests.strategies import commits, trees, values

LINK = b"\xc7\x20\x01" + bytes(32)


@settings(max_examples=300, deadline=None)
@given(values(30))
@example(decimal.Decimal("3" * 126 + "." + "1" * 126))
def test_what_is_written_passes(value: Any) -> None:
    """Every object of every value is canonical."""
    store = Objects()
    put_value(store, value)
    for data in store.values():
        check(data)


@settings(max_examples=50, deadline=None)
@given(st.lists(values(4), max_size=200), st.dictionaries(st.text(), values(4), max_size=100))
def test_large_containers_pass(items: list[Any], pairs: dict[str, Any]) -> None:
    """So is every node of a split one."""
    store = Objects()
    put_value(store, [items, tuple(items), pairs, list(range(1000))])
    for data in store.values():
        check(data)


@settings(max_examples=50, deadline=None)
@given(trees(), commits(), st.binary(max_size=100_000))
def test_records_pass(tree: Any, commit: Any, content: bytes) -> None:
    """So are records and blobs."""
    store = Objects()
    tree.put(store)
    commit.put(store)
    put_blob(store, content)
    Tag(commit.tree, "v1", "Ada", 1, commit.message).put(store)
    Component("agent.f", "function", "(x)", ("x",), commit.message, "source" * 500, bytes(32)).put(store)
    Operation(None, "gv init", "Ada", 1, (RefChange("HEAD", "", commit.message),) * 3).put(store)
    for data in store.values():
        check(data)


REFUSED = {
    "empty": b"",
    "unknown kind": b"x\xc0",
    "no value": b"v",
    "two values": b"v\xc0\xc0",
    "long int": b"v\xcc\x05",
    "long text head": b"v\xd9\x01a",
    "long array head": b"v\xdc\x00\x02\x00\x01",
    "float32": b"v\xca\x00\x00\x00\x00",
    "map": b"v\x81\x01\x02",
    "timestamp": b"v\xd6\xff\x00\x00\x00\x00",
    "other extension": b"v\xd4\x05\x00",
    "short link": b"v\x92\x00\xd8\x01" + bytes(16),
    "only a link": b"v" + LINK,
    "empty array": b"v\x90",
    "no type number": b"v\x91\xa1a",
    "a type number that is a bool": b"v\x91\xc3",
    "unknown type number": b"v\x91\x7f",
    "an invocation as a value": b"v\x93\x30" + LINK + b"\x91\x01",
    "dict without a value": b"v\x92\x02\x01",
    "set out of order": b"v\x93\x03\x02\x01",
    "long big int": b"v" + pack([6, b"\x00" * 3 + b"\x01" * 9]),
    "small big int": b"v" + pack([6, b"\x05"]),
    "valid text as surrogates": b"v" + pack([7, b"abc"]),
    "a complex of ints": b"v" + pack([17, 1, 2]),
    "a date that is none": b"v" + pack([22, 2026, 2, 30]),
    "seconds past a day": b"v" + pack([24, 0, 90_000, 0]),
    "a decimal written otherwise": b"v" + pack([27, "1e5"]),
    "a fraction not reduced": b"v" + pack([28, 2, 4]),
    "a record without a name": b"v" + pack([8, 1, "x", 2]),
    "a field without a value": b"v" + pack([8, "m:T", "x"]),
    "a field named by a number": b"v" + pack([8, "m:T", 1, 2]),
    "a field twice": b"v" + pack([8, "m:T", "x", 1, "x", 2]),
    "a nested text that is too long": b"v" + pack([0, "x" * 300]),
    "a text that is too long": b"v" + pack("x" * 1025),
    "a list that is too long": b"v" + pack([0, *[1] * 1100]),
    "a blob that is too long": b"b" + bytes(65537),
    "a node of nothing": b"n\x91\x37",
    "a node that is no node": b"n\x92\x00\x01",
    "an inner node of items": b"n\x92\x38\x01",
    "an inner node of zero items": b"n\x93\x38\x00" + LINK,
    "a node that is too long": b"n" + pack([55, *[1] * 1400]),
    "a tree that is a list": b"t\x91\x34",
    "a tree with a way out": b"t" + pack([52, [2, "..", [1, 0, pack(0)]]]),
    "a commit of nothing": b"c\x91\x33",
    "a split text that is short": b"v\x94\x05\x39\x05" + LINK,
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_other_spellings_are_refused(data: bytes) -> None:
    """One value, one spelling; what breaks the grammar is refused."""
    with pytest.raises(CorruptObject):
        check(data)


def test_deep_foreign_bytes_are_refused() -> None:
    """Nesting beyond any stack is an error of the bytes."""
    for depth in (33, 70, 900, 5_000, 200_000):
        for bottom in (b"\xc0", LINK):
            data = b"v" + b"\x92\x00" * depth + bottom
            with pytest.raises(CorruptObject):
                check(data)
            if depth > 70:
                with pytest.raises(CorruptObject):
                    read_only(data)
    with pytest.raises(CorruptObject):
        links(data)


def read_only(data: bytes, more: Objects | None = None) -> Any:
    store = Objects(more or {})
    return get_value(store, store.write(data))


@pytest.mark.parametrize(
    "data",
    [b"v\xdd\xff\xff\xff\xff\x00", b"v\xc6\xff\xff\xff\xff\x00", b"v\xdb\x7f\xff\xff\xff", b"v\xdf\xff\xff\xff\xff"],
)
def test_promised_sizes_are_not_believed(data: bytes) -> None:
    """A head that promises gigabytes costs nothing."""
    with pytest.raises(CorruptObject):
        read_only(data)


def test_chosen_keys_cost_no_hours() -> None:
    """Keys that all have one hash, and fractions of a million digits, are read as placeholders, at once."""
    prime = 2**61 - 1
    ints = Encoder(Objects()).encode
    keys = [ints(n * prime) for n in range(1, 20_001)]
    store = Objects()
    table, tags = ItemList(store, number.DICT), ItemList(store, number.SET)
    table.extend([key + b"\x00" for key in keys])
    tags.extend(sorted(keys))
    for data in (table.finish(), tags.finish(), pack([28, [6, b"\x01" * 9], [6, b"\x03" * 9]])):
        decode(data, store)
    fraction = b"\x93\x1c" + Encoder(store).nested(3**400_000) + Encoder(store).nested(2**600_000)

    assert isinstance(decode(table.finish(), store), Unresolved)
    assert isinstance(decode(tags.finish(), store), Unresolved)
    assert isinstance(decode(fraction, store), Unresolved)


def test_many_records_of_an_unknown_class_are_keys() -> None:
    """Placeholders have hashes of their own: a set of 20,000 is read in no time."""
    store = Objects()
    items = sorted(pack([8, "nowhere:Point", "x", n, "y", [0]]) for n in range(20_000))
    tags = ItemList(store, number.SET)
    tags.extend(items)

    assert 20_000 == len(decode(tags.finish(), store))


@settings(max_examples=500, deadline=None)
@given(st.sampled_from([b"v", b"n", b"t", b"c", b"", b"b"]), st.binary(max_size=200))
def test_any_bytes_decode_or_are_corrupt(kind: bytes, data: bytes) -> None:
    """Reading bytes gives a value or CorruptObject, never another exception."""
    for look in (check, links, read_only):
        try:
            look(kind + data)
        except (CorruptObject, ObjectMissing):
            pass


@settings(max_examples=300, deadline=None)
@given(values(20), st.data())
def test_mutated_objects_decode_or_are_corrupt(value: Any, data: st.DataObject) -> None:
    """So does reading objects with a byte changed, dropped or put in; and what passes `check` comes back to the byte."""
    store = Objects()
    put_value(store, value)
    original = data.draw(st.sampled_from(sorted(store.values())))
    at = data.draw(st.integers(0, len(original) - 1))
    byte = data.draw(st.binary(min_size=0, max_size=1))
    changed = original[:at] + byte + original[at + data.draw(st.integers(0, 1)) :]
    try:
        check(changed)
        canonical = changed[:1] == b"v"
    except CorruptObject:
        canonical = False
    try:
        back = read_only(changed, store)
    except (CorruptObject, ObjectMissing):
        return
    if canonical and not links(changed)[0]:
        assert ObjectId.of(changed) == put_value(Objects(), back) or changes_with_its_class(back)


def changes_with_its_class(back: Any) -> bool:
    """Returns whether a value holds what is read by today's classes: their fields, members and `__str__` count."""
    stack = [back]
    while stack:
        each = stack.pop()
        if isinstance(each, (enum.Enum, BaseException)) or hasattr(type(each), "__dataclass_fields__"):
            return True
        if isinstance(each, dict):
            stack += [*each, *each.values()]
        elif isinstance(each, (list, tuple, set, frozenset)):
            stack += each
        elif hasattr(each, "__dict__"):
            return True
    return False
