"""Stores and references: values come back as they were given, and nothing else can be fetched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import gvstore as gv
from gvstore.objects.oid import ObjectId
from gvstore.store.active import active_store, current_store
from tests.strategies import identical, values


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[gv.Store]:
    """An active store of either kind."""
    made = gv.InMemoryStore() if request.param == "memory" else gv.FileStore(tmp_path)
    with made:
        yield made


@settings(max_examples=50, deadline=None)
@given(values())
def test_checkout_gives_what_was_committed(value: Any) -> None:
    """checkout(commit(x)) == x, type and order included; equal values have one reference."""
    with gv.InMemoryStore() as store:
        ref = store.commit(value)

        assert identical(value, ref.checkout())
        assert ref == store.commit(value)
        assert identical(value, gv.checkout(ref))


def test_references_are_values(store: gv.Store) -> None:
    """A reference is stored inside values, compared, hashed, and found again by its id."""
    ref = gv.commit([1, 2])
    outer = gv.commit({"inner": ref})

    assert ref == outer()["inner"]
    assert [1, 2] == outer()["inner"]()
    assert ref == gv.Ref.from_id(ref.id) and 1 == len({ref, gv.Ref.from_id(ref.id)})
    assert (64, f"<Ref: {ref.id}>") == (len(ref.id), repr(ref))
    assert [1, 2] == gv.Ref.from_id(ref.id).checkout()
    assert ref != "text"


def test_a_checkout_is_a_copy(store: gv.Store) -> None:
    """Changing what was checked out changes nothing stored."""
    ref = gv.commit([1])
    ref().append(2)

    assert [1] == ref()


def test_a_reference_remembers_its_store(store: gv.Store) -> None:
    """What came from one store is fetched from it, whichever is active."""
    ref = store.commit("here")
    with gv.InMemoryStore() as other:
        assert "here" == ref()
        assert not other.has(ref)
        with pytest.raises(gv.GvError, match="not in this store"):
            other.checkout(ref)

    assert store.has(ref)
    assert "here" == store.get(ref.oid)


def test_no_store_is_told() -> None:
    """What needs a store says how to get one."""
    assert active_store() is None
    with pytest.raises(gv.GvError, match="no store is active") as told:
        current_store()

    assert "with gv.open" in told.value.hint
    with pytest.raises(gv.GvError, match="no store is active"):
        gv.Ref(ObjectId.of(b"x")).checkout()


def test_opaque_values_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Putting what has no encoding warns at the line that did."""
    from gvstore.store import store

    monkeypatch.setattr(store, "_warned", set())
    with gv.InMemoryStore() as memory, pytest.warns(gv.OpaqueWarning, match="generator cannot be stored") as shown:
        ref = memory.commit(each for each in "ab")
        memory.commit(each for each in "ab")

    assert (1, __file__) == (len(shown), shown[0].filename)
    assert isinstance(memory.checkout(ref), gv.Opaque)


def test_values_can_be_named(tmp_path: Path) -> None:
    """put(name=...) makes a ref, and moves it."""
    with gv.init(tmp_path) as repo:
        gv.put({"a": 1}, name="golden")
        ref = gv.put({"a": 2}, name="golden")

        assert ref.oid == repo.refs.resolve("refs/values/golden")
    with gv.open(tmp_path) as repo:
        assert {"a": 2} == repo.store.get(ref.oid)
