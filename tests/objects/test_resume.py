"""A builder resumed in the middle of a stored list is the builder that took those items."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.objects import number
from gvstore.objects.fault import CorruptObject
from gvstore.objects.resume import resume_list
from gvstore.objects.sequence import ItemList
from gvstore.objects.wire import pack
from tests.objects.store import Objects

texts = st.one_of(
    st.integers(0, 255).map(lambda i: "x" * i), st.text(max_size=40), st.integers(600, 1400).map(lambda i: "y" * i)
)
items = st.lists(st.one_of(texts, st.integers(-9, 10**9)).map(pack), max_size=300)


def built(store: Objects, *parts: list[bytes]) -> ItemList:
    """Returns a builder that took these items."""
    made = ItemList(store, number.LIST)
    for part in parts:
        made.extend(part)
    return made


@given(items, items, st.data())
def test_resumed_is_as_if_it_had_taken_them(first: list[bytes], then: list[bytes], data: st.DataObject) -> None:
    """Whatever is kept of a list and whatever follows, the encoding is that of the items alone."""
    store = Objects()
    count = data.draw(st.integers(0, len(first)))
    encoded = built(store, first).finish()
    resumed = resume_list(store, store, encoded, count)
    resumed.extend(then)

    assert built(store, first[:count], then).finish() == resumed.finish()
    assert count + len(then) == resumed.count


def test_every_place_of_a_long_list() -> None:
    """At each of a few thousand places, with items that fill nodes to the brim among them."""
    store = Objects()
    parts = [pack("z" * (i * 37 % 700) if i % 5 == 0 else i) for i in range(3000)]
    encoded = built(store, parts).finish()
    for count in [*range(0, 200), *range(200, 3001, 7), 3000]:
        resumed = resume_list(store, store, encoded, count)
        resumed.add(pack("end"))

        assert built(store, parts[:count], [pack("end")]).finish() == resumed.finish()


def test_little_is_read() -> None:
    """Resuming near the end of a long list reads the nodes on the way and a few at the beginning."""
    store = Objects()
    encoded = built(store, [pack(i * 10**9) for i in range(50_000)]).finish()
    store.reads = 0
    resume_list(store, store, encoded, 49_999)

    assert store.reads < 40


def test_no_list_has_more_items_than_it_has() -> None:
    """More than there are, or something that is no list, is corrupt."""
    store = Objects()
    for many in (3, 3000):
        encoded = built(store, [pack(i) for i in range(many)]).finish()
        with pytest.raises(CorruptObject):
            resume_list(store, store, encoded, many + 1)
    with pytest.raises(CorruptObject):
        resume_list(store, store, pack([number.TUPLE, 1]), 1)
