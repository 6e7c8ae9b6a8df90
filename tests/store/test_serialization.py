"""Resources as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.store.fault import DeserializationError
from gvstore.store.registry import wrap
from gvstore.store.resource import ResourceDict
from gvstore.store.serialization import JsonSerializer, Serializer
from tests.store.program import Fixed, Plan
from tests.strategies import identical, values

SERIALIZER = JsonSerializer()


@settings(max_examples=150, deadline=None)
@given(values(12))
def test_json_and_back(value: Any) -> None:
    """Type, order and bits of any value survive; the bytes are JSON."""
    form = wrap(value).to_resource_dict()
    data = SERIALIZER.serialize(form)
    back: Any = SERIALIZER.deserialize(data).to_resource()

    assert json.loads(data)
    assert identical(value, back.unwrap() if hasattr(back, "unwrap") else back)


def test_keys_may_be_anything() -> None:
    """Those that begin with # as well, and the order of all is kept."""
    plan = Plan({"#type": 1, "b": 2, "a": 3}, [{2: Fixed(1), "#": None}])
    back = SERIALIZER.deserialize(SERIALIZER.serialize(plan.to_resource_dict())).to_resource()

    assert plan == back
    assert ["#type", "b", "a"] == list(back.topic)


@given(st.binary() | st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(
    ["#type", "#fields", "#bytes", "#float", "#dict", "#value", "#class", "a"]), inner)).map(lambda form: json.dumps(form).encode())
)  # fmt: skip
def test_other_bytes_are_refused(data: bytes) -> None:
    """What is no serialized resource is a DeserializationError, never another."""
    try:
        assert ResourceDict is type(SERIALIZER.deserialize(data))
    except DeserializationError:
        pass


def test_a_serializer_is_two_methods() -> None:
    """The base has neither."""
    with pytest.raises(NotImplementedError):
        Serializer().serialize(Plan(1).to_resource_dict())
    with pytest.raises(NotImplementedError):
        Serializer().deserialize(b"")
