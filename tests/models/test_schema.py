"""JSON schemas: what fits, what does not and where, and which schemas are none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gvstore.models.schema import KEYWORDS, mismatch, schema_faults
from gvstore.models.sse import Events

LAW = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)

STEP = {
    "type": "object",
    "properties": {"name": {"type": "string", "minLength": 1}, "cost": {"type": "number", "minimum": 0}, "next": {"$ref": "#/$defs/step"}},
    "required": ["name"],
    "additionalProperties": False,
}
PLAN = {"type": "object", "properties": {"steps": {"type": "array", "items": {"$ref": "#/$defs/step"}, "maxItems": 2}}, "$defs": {"step": STEP}}


@pytest.mark.parametrize(
    ("value", "schema", "why"),
    [
        ({"steps": [{"name": "a", "cost": 2, "next": {"name": "b"}}]}, PLAN, ""),
        ({"steps": [{"name": "a"}, {"cost": 1}]}, PLAN, "$.steps[1].name is missing"),
        ({"steps": [{"name": "a", "next": {"name": ""}}]}, PLAN, "$.steps[0].next.name has 0 characters, and at least 1 are wanted"),
        ({"steps": [{"name": "a", "cots": 1}]}, PLAN, "$.steps[0].cots should not be there; known: name, cost, next"),
        ({"steps": [{"name": "a"}] * 3}, PLAN, "$.steps has 3 items, and at most 2 are wanted"),
        ([], PLAN, "$ is array, and object is wanted"),
        (True, {"type": "integer"}, "$ is boolean, and integer is wanted"),
        (2.0, {"type": "integer"}, ""),
        (10**400, {"type": "integer", "multipleOf": 10}, ""),
        (10**400, {"multipleOf": 0.5}, "$ is 1000000"),
        (0.3, {"multipleOf": 0.1}, ""),
        (3, {"type": ["string", "null"]}, "$ is integer, and string or null is wanted"),
        (1, {"enum": [True, "1"]}, '$ is 1, and one of [true, "1"] is wanted'),
        ("b", {"const": "a"}, '$ is "b", and "a" is wanted'),
        (5, {"exclusiveMaximum": 5}, "$ is 5, and less than 5 is wanted"),
        ("ab1", {"pattern": "^[a-z]+$"}, "$ does not match ^[a-z]+$"),
        ([1, "a", 2], {"prefixItems": [{"type": "integer"}], "items": {"type": "string"}}, "$[2] is integer, and string is wanted"),
        ([1, 1.0], {"uniqueItems": True}, "$ has equal items"),
        (3, {"anyOf": [{"type": "string"}, {"minimum": 4}]}, "$ fits none of the alternatives: $ is integer, and string is wanted"),
        (3, {"oneOf": [{"minimum": 1}, {"minimum": 2}]}, "$ fits 2 of the alternatives, and one is wanted"),
        (3, {"allOf": [{"minimum": 1}, {"minimum": 4}]}, "$ is 3, and at least 4 is wanted"),
        (3, {"not": {"type": "integer"}}, "$ is what it should not be"),
        (3, {"$ref": "#"}, "$ is nested too deeply"),
        ({"a": 1}, {"additionalProperties": {"type": "string"}}, "$.a is integer, and string is wanted"),
        (None, {}, ""),
    ],
    ids=repr,
)  # fmt: skip
def test_what_fits(value: object, schema: dict[str, Any], why: str) -> None:
    """The first that does not fit is told, with its place."""
    found = mismatch(value, schema)

    assert found == why or (why and found.startswith(why))


@pytest.mark.parametrize(
    ("schema", "where", "why"),
    [
        ([], "", "a schema is a mapping, not array"),
        ({"type": "text"}, "type", "'text' is no type"),
        ({"proprties": {}}, "proprties", "did you mean 'properties'?"),
        ({"properties": {"a": {"enum": []}}}, "properties.a.enum", "a list that is not empty"),
        ({"properties": []}, "properties", "a mapping of names"),
        ({"required": "name"}, "required", "a list of names"),
        ({"items": {"minItems": -1}}, "items.minItems", "at least 0"),
        ({"minimum": "1"}, "minimum", "a number is wanted"),
        ({"anyOf": [{"$ref": "#/$defs/x"}]}, "anyOf[0].$ref", "leads nowhere"),
        ({"$ref": "http://elsewhere/"}, "$ref", "leads nowhere"),
        ({"pattern": "("}, "pattern", "the pattern is none"),
        ({"items": 3}, "items", "a schema is a mapping"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_schema(schema: object, where: str, why: str) -> None:
    """Told with its place in the schema."""
    [(place, said)] = schema_faults(schema)

    assert where == place and why in said


def test_all_faults_are_told_at_once_and_a_good_schema_has_none() -> None:
    """Words for readers, and words of one's own with `x-`, say nothing."""

    assert 2 == len(list(schema_faults({"type": "text", "items": {"minimum": ""}})))
    assert [] == list(schema_faults({**PLAN, "title": "Plan", "x-order": 1, "examples": [3]}))


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(sorted(KEYWORDS)), inner, max_size=4), max_leaves=8)


@LAW
@given(JSON, JSON)
def test_any_value_against_any_schema(value: object, schema: object) -> None:
    """A schema without faults tells of any value whether it fits, and raises nothing."""
    if not list(schema_faults(schema)):
        assert isinstance(mismatch(value, schema), str)


@LAW
@given(st.lists(st.binary(max_size=20).map(lambda data: data.replace(b"\n", b" ").replace(b"\r", b" "))), st.lists(st.integers(1, 30)), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_events_come_out_however_they_are_cut(parts: list[bytes], cuts: list[int], end: bytes) -> None:
    """With any line end, at any place."""
    expected = [part for part in (part.removeprefix(b" ") if part[:1] == b" " else part for part in parts) if part.strip() and part.strip() != b"[DONE]"]
    stream = b"".join(b"event: x" + end + b"data:" + (b" " if part[:1] != b" " else b"") + part + end + end for part in parts)
    events, found, at = Events(), [], 0
    for size in (*cuts, len(stream)):
        found += list(events.feed(stream[at : at + size]))
        at += size
    found += list(events.end())

    assert expected == found
