"""Resources: fields, dict forms, and back."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import pytest

from gvstore.store.digests import cached_property, digest, resource_digest
from gvstore.store.fault import CycleDetected, FieldTypeError
from gvstore.store.resource import Resource, ResourceBase
from gvstore.store.store import InMemoryStore
from gvstore.store.types import Dict, Int, List, ResourceType, Str
from gvstore.store.walk import walk_resource, walk_resource_dict
from tests.store.program import Bare, Counter, CounterWrapper, Fixed, Other, Plan, register


def test_fields_in_order() -> None:
    """Names, values and items, values that need it wrapped."""
    plan = Plan(1, [Counter(2), "x"])

    assert ("topic", "steps") == tuple(Plan.field_names())
    assert [1, [CounterWrapper(2), "x"]] == list(plan.field_values())
    assert [("topic", 1), ("steps", [CounterWrapper(2), "x"])] == list(plan.field_items())


def test_a_dict_form_knows_its_type() -> None:
    """It looks like a dict, shares nothing with the resource, and leads back."""
    plan = Plan({"k": Fixed(1)}, [True, None, int, Counter(3)])
    form = plan.to_resource_dict()

    assert "{'topic': {'k': {'x': 1}}, 'steps': [True, None" in repr(form)
    assert Fixed is form["topic"]["k"].type
    assert plan == form.to_resource()
    assert form != Other({"k": Fixed(1)}, [True, None, int, Counter(3)]).to_resource_dict()
    form["steps"].append(1)

    assert 4 == len(plan.steps)
    with pytest.raises(FieldTypeError):
        Other.from_resource_dict(form)


def test_a_resource_in_itself_is_told() -> None:
    """The dict form says that it is a cycle, and does not run out of stack."""
    one, two = Plan(1), Plan(2)
    one.topic, two.topic = two, one

    with pytest.raises(CycleDetected):
        one.to_resource_dict()


def test_copies_are_deep_and_setting_copies() -> None:
    """deepcopy_resource and set_from share nothing."""
    plan = Plan(Plan(1), [4, None])
    copy, other = plan.deepcopy_resource(), Plan(None)
    other.set_from(plan)
    plan.topic.topic = 9

    assert Plan(Plan(1), [4, None]) == copy == other
    with pytest.raises(TypeError):
        other.set_from(Other(1))
    Fixed(1).set_from(Fixed(1))
    with pytest.raises(ValueError):
        Fixed(1).set_from(Fixed(2))


def test_type_keys_name_the_class() -> None:
    """A type id is JSON of the qualified name and the distribution."""
    assert '{"distribution_key": null, "name": "tests.store.program.Plan"}' == Plan.type_id()
    assert "tests.store.program.Plan" == Plan.type_key().name


@dataclass
class Described(Resource):
    number: int
    names: list[str]
    plans: dict[str, Plan]
    anything: typing.Any
    late: int = field(init=False, default=3)


def test_fields_are_described_by_their_annotations() -> None:
    """What cannot be told is None."""
    plan = ResourceType(Plan.type_key())
    expected = {"number": Int(), "names": List(Str()), "plans": Dict(plan), "anything": None, "late": Int()}

    assert expected == Described.field_descriptors()
    made = Described.from_fields({"number": 1, "names": [], "plans": {}, "anything": 2, "late": 5})

    assert 5 == made.late


class Pair(ResourceBase):
    """A resource that is no dataclass."""

    def __init__(self, left: Any, right: Any) -> None:
        self.sides = (left, right)

    @classmethod
    def field_names(cls) -> Iterable[str]:
        return ("left", "right")

    def field_values(self) -> Iterable[Any]:
        return self.sides

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        return cls(**fields)


def test_a_resource_need_not_be_a_dataclass() -> None:
    """It is stored by what it says of its fields."""
    back = InMemoryStore().commit([Pair((1, 2), Pair(Counter(1), None))]).checkout()[0]

    assert (1, 2) == back.sides[0]
    assert Counter(1) == back.sides[1].sides[0]
    assert {"left": 1, "right": 2} == Pair(1, 2).to_resource_dict()


def test_walking_meets_the_outer_before_the_inner() -> None:
    """Every resource, wrapped values as their wrappers; dict forms the same."""
    plan = Plan([Plan(1), Plan(2), [1, 2], Counter(3)], {"k": Fixed(4)})
    expected = [plan, Plan(1), Plan(2), CounterWrapper(3), Fixed(4)]

    assert expected == list(walk_resource(plan))
    assert [each.to_resource_dict() for each in expected] == list(walk_resource_dict(plan.to_resource_dict()))


def test_digests_are_names() -> None:
    """A digest is the id that a store would give, also of a dict form or wrapper; what has no encoding has none."""
    plan = Plan(1, (2, 3))

    assert InMemoryStore().commit(plan).id == resource_digest(plan) == digest(plan.to_resource_dict())
    assert digest(5) == digest(CounterWrapper.wrap(Counter(1)).count + 4)
    with pytest.raises(FieldTypeError):
        digest(Bare())


def test_the_faults_of_other_digests_are_none_here() -> None:
    """True is not 1, byte strings do not run together, sets have no order, dicts have, subclasses are themselves."""
    different = [
        Plan(True), Plan(1), Plan(1.0), Plan([b"ab", b"c"]), Plan([b"abbc"]), Plan(["ab", "c"]), Plan({"a": 1, "b": 2}),
        Plan({"b": 2, "a": 1}), Plan((1,)), Plan([1]), Plan(-0.0), Plan(0.0), Other(1),
    ]  # fmt: skip

    assert len(different) == len({digest(each) for each in different})
    assert digest({"x", "y", "z"}) == digest({"z", "y", "x"})


@register
@dataclass
class Costly(Resource):
    n: int

    @cached_property
    def square(self) -> int:
        """Its square, and how often it was computed is in `calls`."""
        calls.append(self.n)
        return self.n**2


calls: list[int] = []


def test_a_cached_property_follows_the_digest() -> None:
    """It is computed once until a field changes; what it keeps is no field."""
    costly = Costly(3)
    name = digest(costly)

    assert [9, 9] == [costly.square, costly.square]
    assert name == digest(costly)
    costly.n = 4

    assert [16, 16] == [costly.square, costly.square]
    assert [3, 4] == calls
