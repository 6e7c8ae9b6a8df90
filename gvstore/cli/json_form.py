"""Any answer as JSON: docs/json.md is the promise, this is the mapping.

Dataclass results become objects with the fields as keys; oids are full hex,
times RFC 3339 UTC, paths text.  Values of the user's programs are shown so
that every text in them can be read: what JSON has stands as itself, all else
is an object with a "$type".  It is a view, not an encoding: nothing reads it back.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from pathlib import PurePath
from typing import TypeAlias

from gvstore.objects.oid import ObjectId
from gvstore.objects.placeholder import Ignored, Opaque, Unresolved

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

DEPTH = 200  # json itself recurses; deeper values are cut, with a "$type" that says so
DIGITS = 4_000  # Python refuses to print longer ints in decimal
_OURS = ("gvstore.cli.", "gvstore.compare.", "gvstore.repo.", "gvstore.refs.")  # answers; all else is somebody's value


def dump(answer: object, *, ascii_only: bool = False) -> str:
    """Returns one JSON document, on one line.

    A lone surrogate stays one: written with "backslashreplace" it becomes the escape that JSON has for it.
    """
    return json.dumps(form(answer), ensure_ascii=ascii_only, allow_nan=False)


def form(value: object, depth: int = 0) -> Json:
    """Returns what `json` can write for any value."""
    if value is None or type(value) in (bool, str):
        return value  # type: ignore[return-value]
    if depth > DEPTH:
        return {"$type": "deeper", "text": type(value).__name__}
    if isinstance(value, ObjectId):
        return value.hex()
    if isinstance(value, Unresolved | Opaque | Ignored):
        return _placeholder(value, depth)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value, depth)
    if isinstance(value, Mapping):
        return _mapping(value, depth)
    if isinstance(value, list | tuple):
        return [form(item, depth + 1) for item in value]
    return _scalar(value, depth)


def format_time(time: datetime) -> str:
    """Returns RFC 3339 in UTC, with microseconds: `2026-11-20T10:02:11.000000Z`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _fields(value: object, depth: int) -> Json:
    fields = dataclasses.fields(value)  # type: ignore[arg-type]
    shown = [f for f in fields if f.metadata.get("json", True)]
    form_of: dict[str, Json] = {f.name: form(getattr(value, f.name), depth + 1) for f in shown}
    if depth and not type(value).__module__.startswith(_OURS):  # the outermost is the answer, whoever made it
        form_of = {"$type": _type_name(value), **form_of}
    return form_of


def _placeholder(value: Unresolved | Opaque | Ignored, depth: int) -> Json:
    """Returns the form of what stands for a value: a record reads as if its class were here."""
    if isinstance(value, Ignored):
        return {"$type": "ignored"}
    name = value.type_name.replace(":", ".").removeprefix("builtins.")
    if isinstance(value, Opaque):
        return {"$type": "opaque", "text": name}
    fields = value.fields
    if len(fields) * 2 == len(value.parts):
        return {"$type": name, **{key: form(item, depth + 1) for key, item in fields.items()}}
    return {"$type": name, "items": [form(item, depth + 1) for item in value.parts]}


def _mapping(value: Mapping[object, object], depth: int) -> Json:
    if all(isinstance(key, str) and key != "$type" for key in value):
        return {str(key): form(item, depth + 1) for key, item in value.items()}
    items: list[Json] = [[form(key, depth + 1), form(item, depth + 1)] for key, item in value.items()]
    return {"$type": "dict", "items": items}


def _scalar(value: object, depth: int) -> Json:
    if isinstance(value, Enum):
        return {"$type": _type_name(value), "text": value.name}
    if isinstance(value, int):
        big = value.bit_length() > 3 * DIGITS
        return {"$type": "int", "hex": hex(value)} if big else int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$type": "float", "text": repr(float(value))}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return {"$type": type(value).__name__, "base64": base64.b64encode(value).decode()}
    if isinstance(value, datetime) and value.tzinfo is not None:
        return format_time(value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, set | frozenset):
        return {"$type": type(value).__name__, "items": [form(item, depth + 1) for item in value]}
    return {"$type": _type_name(value), "text": str(value)}


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
