"""Backends of the program's own, in every form, under a store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings

from gvstore.objects.value import get_value, put_value
from gvstore.store.backend import Attributes, InMemoryBackend, StorageBackend
from gvstore.store.fault import DistributionKeyError, FieldTypeError, NotFound, RefError, TypeKeyError
from gvstore.store.packed import PackedResource
from gvstore.store.ref import Ref
from gvstore.store.resource import ResourceDict
from gvstore.store.store import InMemoryStore, Store
from gvstore.store.types import TypeKey
from tests.store.program import Bare, Counter, Plan
from tests.strategies import identical, values


class Duck:
    """Derives from nothing."""

    def __init__(self) -> None:
        self.kept: dict[str, PackedResource] = {}
        self.types: dict[TypeKey, Attributes] = {}

    def register_type(self, type_key: TypeKey, attributes: Attributes) -> None:
        self.types[type_key] = attributes

    def commit(self, ref_id: str, packed: PackedResource) -> None:
        self.kept[ref_id] = packed

    def has(self, ref_ids: Iterable[str]) -> list[bool]:
        return [each in self.kept for each in ref_ids]

    def checkout(self, ref_ids: Iterable[str]) -> list[PackedResource | None]:
        return [self.kept.get(each) for each in ref_ids]


class Minimal(StorageBackend):
    """Writes two methods only."""

    def __init__(self) -> None:
        self.kept: dict[str, PackedResource] = {}

    def commit(self, ref_id: str, packed: PackedResource) -> None:
        self.kept[ref_id] = packed

    def checkout(self, ref_ids: Iterable[str]) -> list[PackedResource | None]:
        return [self.kept.get(each) for each in ref_ids]


class Older:
    """The earlier form: whole packed resources in, dict forms out."""

    def __init__(self) -> None:
        self.kept: dict[str, ResourceDict[Any]] = {}

    def commit(self, packed: PackedResource) -> None:
        self.kept[packed.ref.id] = packed.data

    def has(self, ref: Ref[Any]) -> bool:
        return ref.id in self.kept

    def get(self, ref: Ref[Any]) -> ResourceDict[Any] | None:
        return self.kept.get(ref.id)


FORMS = [Duck, Minimal, Older, InMemoryBackend]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_keeps_values(form: type[Any]) -> None:
    """What is committed comes back, a new copy each time, under the id that any store gives it."""
    store = Store(form())
    for value in (None, True, 1, 0.5, "x", b"y", [1, (2,)], {"k": {3}}, int, Plan(Counter(1), [Plan(2)])):
        ref = store.commit(value)

        assert InMemoryStore().commit(value) == ref
        assert store.has(ref)
        assert value == ref() == store.checkout(Ref.from_id(ref.id))
    plan = store.commit(Plan([1]))
    plan().topic.append(2)
    assert Plan([1]) == plan()
    with pytest.raises(NotFound):
        store.checkout(Ref("0" * 64))


@settings(max_examples=60, deadline=None)
@given(values(10))
def test_a_backend_loses_nothing(value: Any) -> None:
    """Type, order and bits of any value survive its dict form."""
    store = Store(Minimal())

    assert identical(value, store.checkout(store.commit(value)))


@pytest.mark.parametrize("form", FORMS)
def test_recordings_lie_in_a_backend_too(form: type[Any]) -> None:
    """The store's object database is the backend; what was committed as a resource is read as objects."""
    store = Store(form())
    long = [{"n": n, "text": "x" * n} for n in range(100)]
    oid = put_value(store.objects, long)
    ref = store.commit(Plan("y" * 3000, long))

    assert long == get_value(store.objects, oid) == store.checkout(Ref(oid))
    assert Plan("y" * 3000, long) == get_value(store.objects, ref.oid)
    assert put_value(store.objects, Plan("y" * 3000, long)) == ref.oid


def test_what_cannot_be_stored_is_refused_there() -> None:
    """A backend is handed resources, and no markers."""
    with pytest.raises(FieldTypeError, match="Please register a TypeWrapper"):
        Store(Duck()).commit([Bare()])
    with pytest.raises(TypeError, match="no storage backend"):
        Store(object())


def test_a_backend_that_lies_is_caught() -> None:
    """What it hands out is checked against the reference."""
    backend = Duck()
    store = Store(backend)
    ref, other = store.commit(Plan(1)), store.commit(Plan(2))
    backend.kept[ref.id] = backend.kept[other.id]

    with pytest.raises(RefError):
        ref()


def test_types_are_told_once() -> None:
    """With what their fields hold, before the first resource of them."""
    backend = Duck()
    store = Store(backend)
    store.register_type(Plan)
    store.commit(Plan(1))

    assert {"topic", "steps"} == set(backend.types[Plan.type_key()])
    backend.types.clear()
    store.commit(Plan(2))
    assert Plan.type_key() not in backend.types
    memory = InMemoryBackend()
    Store(memory).commit(Plan(3))
    assert {"topic", "steps"} == set(memory.get_type(Plan.type_key()) or ())
    assert None is memory.get_type(TypeKey("no.Such"))


@pytest.mark.parametrize("form", [None, Duck, Minimal, InMemoryBackend])
def test_what_a_value_needs_can_be_asked(form: type[Any] | None) -> None:
    """The references in it, level by level; the types of all; their distributions."""
    store = Store(None if form is None else form())
    bottom = store.commit(Counter(1))
    middle = store.commit(Plan(bottom, ["x" * 2000]))
    top = store.commit({"a": [middle, middle]})
    lost: Ref[Any] = store.commit([Ref("0" * 64)])

    assert {top.id: {middle.id}} == store.get_dependency_graph([top], max_depth=0)
    whole = {top.id: {middle.id}, middle.id: {bottom.id}, bottom.id: set()}
    assert whole == store.get_dependency_graph(top) == store.get_dependency_graph([top, middle])
    assert {lost.id: {"0" * 64}, "0" * 64: None} == store.get_dependency_graph(lost)
    names = {key.name.rpartition(".")[2] for key in store.get_transitive_type_requirements(top)}
    assert {"Plan", "CounterWrapper"} <= names
    assert "Plan" not in {key.name.rpartition(".")[2] for key in store.get_transitive_type_requirements(bottom)}
    assert set() == store.get_distribution_requirements(top, expect_distribution_key=False)
    with pytest.raises(DistributionKeyError):
        store.get_distribution_requirements(top)
    with pytest.raises(TypeKeyError):
        store.get_transitive_type_requirements(lost)
