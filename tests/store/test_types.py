"""Type descriptors, their JSON, and what annotations say."""

from __future__ import annotations

import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.store.fault import TypeInferenceFailed, UnregisteredResource
from gvstore.store.registry import from_python_type, to_python_type
from gvstore.store.type_inference import from_annotation
from gvstore.store.types import (
    Bool,
    Bytes,
    Dict,
    DistributionKey,
    Float,
    Int,
    List,
    NoneType,
    ResourceType,
    Str,
    TypeDescriptor,
    TypeKey,
    Union,
)
from gvstore.store.wrappers import SetWrapper, TupleWrapper
from tests.store.program import Bare, Counter, CounterWrapper, Plan

keys = st.builds(TypeKey, st.text(), st.none() | st.builds(DistributionKey, st.text(), st.text()))
descriptors = st.recursive(
    st.sampled_from([Int(), Float(), Str(), Bool(), Bytes(), NoneType(), List(), Dict()])
    | st.builds(ResourceType, keys),
    lambda inner: st.builds(List, inner) | st.builds(Dict, inner) | st.builds(Union, st.lists(inner).map(tuple)),
)


@given(descriptors)
def test_json_and_back(descriptor: TypeDescriptor) -> None:
    """A descriptor is what its JSON form says."""
    assert descriptor == TypeDescriptor.from_json(descriptor.to_json())


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_other_json_is_refused(form: Any) -> None:
    """What is no descriptor is a ValueError."""
    try:
        assert form == TypeDescriptor.from_json(form).to_json()
    except ValueError:
        pass


@pytest.mark.parametrize(
    ("annotation", "expected", "whole"),
    [
        (int, Int(), True),
        (None, NoneType(), True),
        (typing.List, List(), True),  # noqa: UP006
        (list[list[int]], List(List(Int())), True),
        (typing.Dict[str, typing.List[int]], Dict(List(Int())), True),  # noqa: UP006
        (typing.Optional[int], Union((Int(), NoneType())), True),  # noqa: UP045
        (int | str | float, Union((Int(), Str(), Float())), True),
        (typing.Annotated[bytes, "x"], Bytes(), True),
        (Plan, ResourceType(Plan.type_key()), True),
        (Counter, ResourceType(CounterWrapper.type_key()), True),
        (tuple[int, ...], ResourceType(TupleWrapper.type_key()), True),
        (set, ResourceType(SetWrapper.type_key()), True),
        (dict[str, Bare], Dict(), False),
        (list[dict[str, Bare]], List(Dict()), False),
        (dict[str, Bare | int], Dict(), False),
        (dict[int, int], None, False),
        (Bare, None, False),
        (typing.Union, None, False),
        (typing.Any, None, False),
        ("no type", None, False),
    ],
)
def test_annotations(annotation: Any, expected: TypeDescriptor | None, whole: bool) -> None:
    """What can be told is; `strict` wants all of it."""
    assert expected == from_annotation(annotation)
    if whole:
        assert expected == from_annotation(annotation, strict=True)
    else:
        with pytest.raises(TypeInferenceFailed):
            from_annotation(annotation, strict=True)


@pytest.mark.parametrize("type_", [int, float, str, bool, bytes, type(None), list, dict, Plan, Counter, tuple, set])
def test_python_types_and_back(type_: type) -> None:
    """A type's descriptor describes it."""
    assert type_ is to_python_type(from_python_type(type_))


def test_descriptors_of_nothing() -> None:
    """A union is a union; a class that nobody registered is an error."""
    assert int | None == to_python_type(Union((Int(), NoneType())))
    with pytest.raises(UnregisteredResource):
        to_python_type(ResourceType(TypeKey("no.such.Class")))
