"""Whether JSON fits a JSON schema: the part of the vocabulary that models are given.

    type enum const  properties required additionalProperties minProperties maxProperties
    items prefixItems minItems maxItems uniqueItems  minLength maxLength pattern
    minimum maximum exclusiveMinimum exclusiveMaximum multipleOf
    anyOf oneOf allOf not  $ref into $defs or definitions

Other keywords are for the reader and say nothing here.  Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_TYPES: Final = ("array", "boolean", "integer", "null", "number", "object", "string")
_DEPTH: Final = 60
_LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPS: Final = ("properties", "$defs", "definitions")
_COUNTS: Final = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
_NUMBERS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_OTHERS: Final = (
    "$schema", "$id", "$comment", "$anchor", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly",
    "format", "contentEncoding", "contentMediaType", "type", "enum", "const", "required", "uniqueItems", "pattern", "$ref",
    "additionalProperties", "items", "not",
)  # fmt: skip
KEYWORDS: Final = frozenset((*_LISTS, *_MAPS, *_COUNTS, *_NUMBERS, *_OTHERS))


def schema_faults(schema: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yields (where in the schema, what is wrong there): unknown words, wrong forms, references that lead nowhere."""
    yield from _faults(schema, path, schema, 0)


def mismatch(value: object, schema: object) -> str:
    """Returns what of `value` does not fit the schema, with its place as in `$.steps[2].cost`; empty if all fits."""
    return next(_mismatches(value, schema, "$", schema, 0), "")


def _faults(schema: object, path: str, root: object, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(schema, bool) and path:
        return
    if not isinstance(schema, Mapping):
        yield path, f"a schema is a mapping, not {_word(schema)}"
        return
    if depth > _DEPTH:
        yield path, "the schema is nested too deeply"
        return
    for key, value in schema.items():
        yield from _word_faults(str(key), value, f"{path}.{key}" if path else str(key), root)
    for key in _LISTS:
        for number, part in enumerate(schema[key] if isinstance(schema.get(key), list) else ()):
            yield from _faults(part, f"{path}.{key}[{number}]".lstrip("."), root, depth + 1)
    for key in _MAPS:
        for name, part in schema[key].items() if isinstance(schema.get(key), Mapping) else ():
            yield from _faults(part, f"{path}.{key}.{name}".lstrip("."), root, depth + 1)
    for key in ("items", "not", "additionalProperties"):
        if key in schema:
            yield from _faults(schema[key], f"{path}.{key}".lstrip("."), root, depth + 1)


def _word_faults(key: str, value: object, path: str, root: object) -> Iterator[tuple[str, str]]:
    if key not in KEYWORDS and not key.startswith("x-"):
        import difflib

        near = difflib.get_close_matches(key, KEYWORDS, 1)
        yield path, f"{key!r} is no word of JSON Schema that is known here" + (f"; did you mean {near[0]!r}?" if near else "")
    elif key == "type":
        for each in value if isinstance(value, list) else [value]:
            if each not in _TYPES:
                yield path, f"{each!r} is no type: {', '.join(_TYPES)}"
    elif (key in _LISTS or key == "enum") and (not isinstance(value, list) or not value):
        yield path, "a list that is not empty is wanted"
    elif key in _MAPS and not isinstance(value, Mapping):
        yield path, "a mapping of names to schemas is wanted"
    elif key == "required" and not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        yield path, "a list of names is wanted"
    elif key in _COUNTS and (type(value) is not int or value < 0):
        yield path, "a number of at least 0 is wanted"
    elif key in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int | float) or (key == "multipleOf" and value <= 0)):
        yield path, "a number is wanted"
    elif key == "pattern":
        try:
            re.compile(str(value))
        except (re.error, RecursionError, OverflowError) as e:
            yield path, f"the pattern is none: {e}"
    elif key == "$ref" and _resolved(value, root) is None:
        yield path, f"{value!r} leads nowhere; a reference looks like '#/$defs/step'"


def _resolved(reference: object, root: object) -> Any:
    """Returns the part of the schema that a reference names, or None."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    found: Any = root
    for part in reference[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, Mapping) or name not in found:
            return None
        found = found[name]
    return found


def _mismatches(value: object, schema: Any, path: str, root: object, depth: int) -> Iterator[str]:
    if schema is True or not isinstance(schema, Mapping):
        if schema is False:
            yield f"{path} should not be there"
        return
    if depth > _DEPTH:
        yield f"{path} is nested too deeply"
        return
    if "$ref" in schema:
        yield from _mismatches(value, _resolved(schema["$ref"], root), path, root, depth + 1)
    if (wanted := schema.get("type")) is not None:
        names = wanted if isinstance(wanted, list) else [wanted]
        if not any(_is(value, str(name)) for name in names):
            yield f"{path} is {_word(value)}, and {' or '.join(map(str, names))} is wanted"
            return
    if "enum" in schema and not any(_same(value, each) for each in schema["enum"]):
        yield f"{path} is {_shown(value)}, and one of {_shown(schema['enum'])} is wanted"
    if "const" in schema and not _same(value, schema["const"]):
        yield f"{path} is {_shown(value)}, and {_shown(schema['const'])} is wanted"
    if isinstance(value, dict):
        yield from _of_object(value, schema, path, root, depth)
    elif isinstance(value, list):
        yield from _of_array(value, schema, path, root, depth)
    elif isinstance(value, str):
        yield from _of_length(len(value), schema, path, ("minLength", "maxLength"), "characters")
        if "pattern" in schema and not re.search(str(schema["pattern"]), value):
            yield f"{path} does not match {schema['pattern']}"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _of_number(value, schema, path)
    yield from _of_choices(value, schema, path, root, depth)


def _of_object(value: dict[str, Any], schema: Mapping[str, Any], path: str, root: object, depth: int) -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{path}.{name} is missing"
    known = schema.get("properties", {})
    for name, each in value.items():
        part = known[name] if name in known else schema.get("additionalProperties", True)
        if part is False:
            yield f"{path}.{name} should not be there" + (f"; known: {', '.join(known)}" if known else "")
        else:
            yield from _mismatches(each, part, f"{path}.{name}", root, depth + 1)
    yield from _of_length(len(value), schema, path, ("minProperties", "maxProperties"), "entries")


def _of_array(value: list[Any], schema: Mapping[str, Any], path: str, root: object, depth: int) -> Iterator[str]:
    first = schema.get("prefixItems", [])
    for number, each in enumerate(value):
        part = first[number] if number < len(first) else schema.get("items", True)
        yield from _mismatches(each, part, f"{path}[{number}]", root, depth + 1)
    yield from _of_length(len(value), schema, path, ("minItems", "maxItems"), "items")
    if schema.get("uniqueItems") is True and any(_same(a, b) for i, a in enumerate(value[:1000]) for b in value[:i]):
        yield f"{path} has equal items"


def _of_length(length: int, schema: Mapping[str, Any], path: str, keys: tuple[str, str], what: str) -> Iterator[str]:
    least, most = (schema.get(key) for key in keys)
    if least is not None and length < least:
        yield f"{path} has {length} {what}, and at least {least} are wanted"
    if most is not None and length > most:
        yield f"{path} has {length} {what}, and at most {most} are wanted"


def _of_number(value: float, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, holds, word in (
        ("minimum", lambda bound: value >= bound, "at least"),
        ("maximum", lambda bound: value <= bound, "at most"),
        ("exclusiveMinimum", lambda bound: value > bound, "more than"),
        ("exclusiveMaximum", lambda bound: value < bound, "less than"),
        ("multipleOf", lambda bound: _divides(bound, value), "a multiple of"),
    ):
        if key in schema and not holds(schema[key]):
            yield f"{path} is {_shown(value)}, and {word} {schema[key]} is wanted"


def _divides(bound: float, value: float) -> bool:
    if isinstance(bound, int) and isinstance(value, int):
        return value % bound == 0
    try:
        return abs(value / bound - round(value / bound)) < 1e-9
    except (OverflowError, ValueError):  # infinite
        return False


def _of_choices(value: object, schema: Mapping[str, Any], path: str, root: object, depth: int) -> Iterator[str]:
    for part in schema.get("allOf", ()):
        yield from _mismatches(value, part, path, root, depth + 1)
    for key in ("anyOf", "oneOf"):
        if key not in schema:
            continue
        found = [next(_mismatches(value, part, path, root, depth + 1), "") for part in schema[key]]
        fitting = found.count("")
        if not fitting:
            yield f"{path} fits none of the alternatives: {found[0]}"
        elif key == "oneOf" and fitting > 1:
            yield f"{path} fits {fitting} of the alternatives, and one is wanted"
    if "not" in schema and not next(_mismatches(value, schema["not"], path, root, depth + 1), ""):
        yield f"{path} is what it should not be"


def _is(value: object, name: str) -> bool:
    """Returns whether a value is of a JSON type; 2.0 is an integer, True is none."""
    if isinstance(value, bool):
        return name == "boolean"
    if isinstance(value, int | float):
        return name == "number" or (name == "integer" and (isinstance(value, int) or value.is_integer()))
    return name == {type(None): "null", str: "string", list: "array", dict: "object"}.get(type(value))


def _same(one: object, other: object) -> bool:
    """Returns whether two values are the same JSON: True is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(each, other[key]) for key, each in one.items())
    return one == other


def _word(value: object) -> str:
    return next((name for name in _TYPES if name != "number" and _is(value, name)), "number" if isinstance(value, float) else type(value).__name__)


def _shown(value: object) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:79] + "…"
