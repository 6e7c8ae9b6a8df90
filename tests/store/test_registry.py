"""Wrappers teach the store new types; the registry knows classes by name."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings

from gvstore.objects.placeholder import Opaque, Unresolved
from gvstore.store.fault import CycleDetected, MissingWrapperError, RegistryError, UnregisteredResource
from gvstore.store.registry import (
    BytesWrapper,
    FloatWrapper,
    IntWrapper,
    Registry,
    ResourceTypeWrapper,
    deepcopy,
    from_field_value,
    to_field_value,
    unwrap,
    wrap,
    wrap_type,
)
from gvstore.store.resource import Resource, TypeWrapper
from gvstore.store.store import InMemoryStore, OpaqueWarning
from gvstore.store.types import DistributionKey, TypeKey
from tests.store.program import Bare, Box, Counter, CounterWrapper, Plan, SubCounter
from tests.strategies import identical, values


def test_a_wrapper_is_how_its_type_is_stored() -> None:
    """A value of a wrapped type comes back as one, wherever it stands."""
    store = InMemoryStore()
    for value in (Counter(3), [Counter(3)], {"k": (Counter(1),)}, Plan(Counter(5), {Counter(1)}), Box(Box(Counter(2)))):
        back = store.checkout(store.commit(value))

        assert type(back) is type(value)
        if not isinstance(value, Box):
            assert value == back


def test_committing_a_wrapper_is_committing_what_it_stands_for() -> None:
    """`wrap` and then `commit` changes nothing."""
    store = InMemoryStore()

    assert store.commit(Counter(3)) == store.commit(wrap(Counter(3)))
    back: list[Any] = [store.commit(wrap(each)).checkout() for each in (Counter(3), 5)]

    assert [Counter(3), 5] == back


def test_a_subclass_is_stored_by_the_wrapper_of_its_base() -> None:
    """Unless it has one of its own, the base's stands for it."""
    store = InMemoryStore()

    assert Counter(4) == store.commit(SubCounter(4)).checkout()
    assert CounterWrapper(4) == wrap(SubCounter(4))


def test_two_wrappers_that_claim_a_value_are_an_error() -> None:
    """Nobody guesses; a wrapper for exactly the type settles it, also for what was refused before."""

    class Both(Counter, Box):
        def __init__(self) -> None:
            Counter.__init__(self, 7)
            Box.__init__(self, 8)

    store = InMemoryStore()
    for attempt in (
        lambda: wrap(Both()),
        lambda: store.commit([Both()]),
        lambda: Registry.get().get_type_wrapper(Both),
    ):
        with pytest.raises(RegistryError, match="BoxWrapper and CounterWrapper"):
            attempt()

    @dataclass
    class BothWrapper(TypeWrapper[Both]):
        @classmethod
        def wrapped_type(cls) -> type[Both]:
            return Both

        @classmethod
        def wrap(cls, value: Both) -> BothWrapper:
            return cls()

        def unwrap(self) -> Both:
            return Both()

    Registry.get().register(BothWrapper)

    assert Both is type(store.commit([Both()]).checkout()[0])


def test_without_the_wrapper_the_fields_can_be_read() -> None:
    """A wrapped value whose wrapper is not loaded, or fails, is a placeholder that is stored as the same bytes."""
    store = InMemoryStore()
    ref = store.commit(Box("broken"))
    back: Any = ref.checkout()

    assert Unresolved is type(back)
    assert "broken" == back.content
    assert ref == store.commit(back)


def test_what_has_neither_encoding_nor_wrapper_is_refused_or_opaque() -> None:
    """`wrap` says what to do; a store keeps a marker and warns."""
    with pytest.raises(MissingWrapperError, match="Please register a TypeWrapper"):
        wrap(Bare())
    with pytest.raises(MissingWrapperError):
        wrap(Bare)
    with pytest.raises(MissingWrapperError):
        Plan(Bare()).to_resource_dict()
    with pytest.warns(OpaqueWarning, match="Bare"):
        back: Any = InMemoryStore().commit(Bare()).checkout()

    assert Opaque is type(back)


class Failing:
    """Its wrapper cannot look at it."""


@dataclass
class FailingWrapper(TypeWrapper[Failing]):
    @classmethod
    def wrapped_type(cls) -> type[Failing]:
        return Failing

    @classmethod
    def wrap(cls, value: Failing) -> FailingWrapper:
        raise ValueError("no")


@pytest.mark.filterwarnings("ignore::gvstore.OpaqueWarning")
def test_a_failing_wrapper_makes_the_value_opaque() -> None:
    """What a program's code raises while a value is read does not end the recording."""
    Registry.get().register(FailingWrapper)
    back: Any = InMemoryStore().commit([Failing()]).checkout()[0]

    assert Opaque is type(back)
    assert "ValueError" in str(back.detail)


@settings(max_examples=100, deadline=None)
@given(values(12))
def test_wrapping_and_back_is_the_value(value: Any) -> None:
    """unwrap(wrap(x)), from_field_value(to_field_value(x)) and deepcopy(x) are x, whatever it is."""
    if isinstance(value, type):
        return

    assert identical(value, unwrap(wrap(value)))
    assert identical(value, deepcopy(value))


def test_builtin_values_have_wrappers() -> None:
    """Every value has a resource that stands for it, every type a type key."""
    assert IntWrapper(5) == wrap(5)
    assert "BoolWrapper" == type(wrap(True)).__name__
    assert ResourceTypeWrapper(IntWrapper) == wrap(int)
    assert int is unwrap(wrap(int))
    assert math is unwrap(wrap(math))
    assert "SetWrapper" == type(wrap({1})).__name__
    assert Plan is wrap_type(Plan)
    assert datetime.date(2026, 1, 2) == unwrap(wrap(datetime.date(2026, 1, 2)))
    assert [IntWrapper, [FloatWrapper, BytesWrapper]] == to_field_value([int, [float, bytes]])
    assert [int, [float, bytes]] == from_field_value([IntWrapper, [FloatWrapper, BytesWrapper]])
    assert Plan(1) == wrap(Plan(1))


def test_a_copy_shares_nothing() -> None:
    """deepcopy goes through every container, and tells of cycles."""
    value: dict[str, Any] = {"a": [bytearray(b"x")], "b": Plan([1])}
    copy = deepcopy(value)
    copy["a"][0].append(1)
    copy["b"].topic.append(2)

    assert {"a": [bytearray(b"x")], "b": Plan([1])} == value
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(CycleDetected):
        deepcopy(cycle)


def test_types_are_found_by_id_and_key() -> None:
    """A version in the key is advice: an upgrade orphans nothing."""
    registry = Registry()
    registry.register(Plan)

    assert Plan is registry.lookup(Plan.type_id())
    assert Plan is registry.lookup(Plan.type_key())
    assert Plan is registry.lookup(TypeKey(Plan.type_key().name, DistributionKey("plans", "9")))
    with pytest.raises(UnregisteredResource, match="Nowhere"):
        registry.lookup("Nowhere")
    with pytest.raises(UnregisteredResource):
        registry.lookup(CounterWrapper.type_id())
    with pytest.raises(RegistryError):
        registry.register(int)


def test_a_class_that_is_made_again_takes_the_place_of_the_old_one() -> None:
    """As a notebook's cell that runs again; a strict registry refuses."""

    def make() -> type[Resource]:
        @dataclass
        class Again(Resource):
            x: int

        return Again

    first, second = make(), make()
    registry, strict = Registry(), Registry(allow_reregistration=False)
    for each in (registry, strict):
        each.register(first)
    registry.register(second)

    assert second is registry.lookup(first.type_id())
    with pytest.raises(RegistryError):
        strict.register(second)


def test_a_class_made_in_a_function_is_found_again() -> None:
    """Resources need not stand in a module."""

    @dataclass
    class Local(Resource):
        x: int

    assert Local(3) == InMemoryStore().commit(Local(3)).checkout()


def test_values_are_set_in_place() -> None:
    """What a replay does to what a call changed."""
    registry = Registry.get()
    counter, plan, numbers = Counter(1), Plan(1), [1, 2]

    assert registry.set_value(counter, Counter(5))
    assert registry.set_value(plan, Plan("x", [1]))
    assert registry.set_value(numbers, [3])
    assert registry.set_value(4, 4)
    assert not registry.set_value(datetime.date.min, datetime.date.max)
    assert (Counter(5), Plan("x", [1]), [3]) == (counter, plan, numbers)
    with pytest.raises(TypeError):
        plan.set_from(Counter(1))


def test_a_record_makes_only_what_wrappers_make() -> None:
    """A stored name of another class, a resource or the wrapper of a builtin, runs no constructor."""
    store = InMemoryStore()
    for cls, field in ((Plan, "topic"), (IntWrapper, "value"), (ResourceTypeWrapper, "value")):
        forged = Unresolved(40, f"{cls.__module__}:{cls.__qualname__}", (field, "x"))
        back: Any = store.commit(forged).checkout()

        assert forged == back
