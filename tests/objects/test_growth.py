"""What things cost: growing chats and texts, long lists, edits, sharing."""

from __future__ import annotations

import random
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.objects import number
from gvstore.objects.decode import decode, get_value
from gvstore.objects.encode import Encoder
from gvstore.objects.fault import CorruptObject
from gvstore.objects.sequence import ItemList, iter_leaves
from gvstore.objects.value import put_value
from gvstore.objects.wire import link_bytes, pack, unpack
from tests.objects.store import Objects
from tests.strategies import Point


def words(seed: int, size: int) -> str:
    """Returns text of this size that does not repeat."""
    return "".join(random.Random(seed).choices("abcdefghijklmnopqrstuvwxyz     .", k=size))


def test_a_growing_text() -> None:
    """A str that grows by 400 bytes a call, for 400 calls, costs 0.73 MB of objects, 0.62 MB where each is compressed."""
    store = Objects()
    text = ""
    for call in range(400):
        text += words(call, 400)
        put_value(store, (text,))

    assert store.size <= 740_000
    assert 700_000 >= sum(18 + min(len(data), len(zlib.compress(data))) for data in store.values())


def chat_bytes(calls: int) -> int:
    store = Objects()
    chat: list[dict[str, str]] = []
    for call in range(calls):
        chat.append({"role": "user", "content": words(call, 400)})
        put_value(store, (chat,))
    return store.size


def test_a_growing_chat_is_linear() -> None:
    """A chat passed whole to every call costs what its messages cost, and a few links a call."""
    small, large = chat_bytes(200), chat_bytes(400)

    assert large <= 600_000
    assert large <= 2.3 * small


def test_a_hundred_thousand_ints() -> None:
    """Small items share nodes: by bytes, not by count."""
    store = Objects()
    value = list(range(100_000))
    oid = put_value(store, value)

    assert len(store) <= 1_800
    assert value == get_value(store, oid)


@pytest.mark.parametrize("make", [lambda i: i, lambda i: f"line {i}", lambda i: {"n": i, "text": "x" * 300}])
def test_an_edit_of_a_long_list_is_local(make: Any) -> None:
    """Inserting, dropping or changing one of 10,000 items, or appending one, costs O(log n) new objects."""
    store = Objects()
    items = [make(i) for i in range(10_000)]
    put_value(store, items)
    before = len(store)
    for edited in (
        [make(-1), *items],
        [*items[:5000], make(-1), *items[5000:]],
        items[1:],
        items[:7777] + items[7778:],
        [*items[:5000], make(-2), *items[5001:]],
        [*items, make(-3)],
    ):
        store_of_edit = Objects(store)
        oid = put_value(store_of_edit, edited)

        assert len(store_of_edit) - before <= 20
        assert edited == get_value(store_of_edit, oid)


def test_an_edit_of_a_long_dict_is_local() -> None:
    """So does an entry of a dict."""
    store = Objects()
    entries = {f"key {i}": i for i in range(10_000)}
    put_value(store, entries)
    before = len(store)
    entries["key 777"] = -1
    del entries["key 5000"]
    oid = put_value(store, entries)

    assert len(store) - before <= 30
    assert list(entries.items()) == list(get_value(store, oid).items())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.integers(), st.text(max_size=40), st.just("x" * 300)), max_size=600))
def test_items_fed_one_by_one_make_the_whole(items: list[Any]) -> None:
    """An ItemList gives the bytes that encoding the list at once gives."""
    store = Objects()
    encoder = Encoder(store)
    fed = ItemList(store, number.LIST)
    for item in items:
        fed.add(encoder.nested(item))

    assert len(items) == fed.count
    assert encoder.encode(items) == fed.finish()


@settings(max_examples=30, deadline=None)
@given(st.integers(400, 3000), st.floats(0, 1))
def test_leaves_are_found_by_index(count: int, share: float) -> None:
    """`iter_leaves` starts at the leaf that holds an item and reads no leaf before it."""
    store = Objects()
    top = unpack(Encoder(store).encode(list(range(1000, 1000 + count))))[3].oid
    start = int(share * (count - 1))
    found: list[Any] = []
    for first, parts in iter_leaves(store, top, start=start):
        assert found or first <= start < first + len(parts)
        found += map(unpack, parts[max(0, start - first) :])

    assert list(range(1000 + start, 1000 + count)) == found


def doubled(levels: int, bottom: Any) -> Any:
    value = bottom
    for _ in range(levels):
        value = [value, value]
    return value


@pytest.mark.parametrize("bottom", [0, "x" * 300, Point(1, 2), {"a": [1, 2, 3]}, list(range(5000))])
def test_shared_parts_are_encoded_once(bottom: Any) -> None:
    """A value that is shared 2**60 times costs as many objects as it has levels."""
    store = Objects()
    put_value(store, doubled(60, bottom))

    assert len(store) < 200


@pytest.mark.parametrize("bottom", [0, "x" * 300, list(range(5000))])
def test_a_value_larger_than_memory_is_refused(bottom: Any) -> None:
    """Few objects that spell 2**60 elements are refused before they are built."""
    store = Objects()
    oid = put_value(store, doubled(60, bottom))
    store.reads = 0
    with pytest.raises(CorruptObject):
        get_value(store, oid)

    assert store.reads < 200_000


def test_trees_larger_than_memory_are_refused() -> None:
    """The same of nodes: of items, of chunks, and of nodes that hold nothing."""
    store = Objects()
    leaf = store.write(b"n" + pack([55, *range(100)]))
    chunk = store.write(b"b" + bytes(1000))
    empty = store.write(b"n" + pack([55]))
    for bottom, of, count in ((leaf, number.LIST, 100), (chunk, number.BYTES, 1000), (empty, number.LIST, 1)):
        top = bottom
        for _ in range(40):
            entry = pack(count) + link_bytes(top)
            top = store.write(b"n\x95" + pack(number.INNER) + entry + entry)
            count *= 2
        with pytest.raises(CorruptObject):
            decode(b"\x94\x05" + pack(of) + pack(count) + link_bytes(top), store)


def test_counts_of_nodes_are_verified() -> None:
    """A node whose counts lie is corrupt, even if the sum is right."""
    store = Objects()
    a, b = (store.write(b"n" + pack([55, *range(n)])) for n in (3, 5))
    top = store.write(b"n\x95" + pack(56) + pack(4) + link_bytes(a) + pack(4) + link_bytes(b))
    with pytest.raises(CorruptObject):
        decode(b"\x94\x05\x00\x08" + link_bytes(top), store)


def test_sharing_that_fits_is_read() -> None:
    """What is shared and small enough comes back: ten megabytes of one list, a text met ten thousand times."""
    store = Objects()
    for value in ([list(range(1000))] * 2000, ["word " * 1000] * 10_000, [0] * 300_000, ["y" * 300] * 1000):
        assert value == get_value(store, put_value(store, value))
