"""Any answer as JSON: docs/json.md is the promise, this is the mapping.

Dataclass results become objects with the fields as keys; oids are full hex,
times RFC 3339 UTC, paths text.  Values of the user's programs are shown so
that every text in them can be read: what JSON has stands as itself, all else
is an object with a "$type".  It is a view, not an encoding: nothing reads it back.

Values nest as deep as programs make them, and `json` recurses: so the form is
made level by level, and written with an explicit stack.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from pathlib import PurePath
from typing import TypeAlias

from gvstore.objects.number import ENUM
from gvstore.objects.oid import ObjectId
from gvstore.objects.placeholder import Ignored, Opaque, Unresolved
from gvstore.objects.wire import Link

Level: TypeAlias = "bool | int | float | str | list[object] | dict[str, object] | None"

DIGITS = 4_000  # Python refuses to print longer ints in decimal
_OURS = ("gvstore.cli.", "gvstore.code.", "gvstore.compare.", "gvstore.repo.", "gvstore.refs.")  # answers; all else is somebody's value


def dump(answer: object, *, ascii_only: bool = False) -> str:
    """Returns one JSON document, on one line.

    A lone surrogate stays one: written with "backslashreplace" it becomes the escape that JSON has for it.
    """
    encoder = json.encoder
    quote = encoder.encode_basestring_ascii if ascii_only else encoder.encode_basestring
    return "".join(_pieces(answer, quote))


def _pieces(answer: object, quote: Callable[[str], str]) -> Iterator[str]:
    """Yields the document piece by piece."""
    stack: list[tuple[Iterator[tuple[str, object]], str]] = []  # of each open container the rest, and how it ends
    shape = level(answer, outermost=True)
    while True:
        if isinstance(shape, dict):
            leads = (f"{', ' if number else ''}{quote(name)}: " for number, name in enumerate(shape))
            stack.append((zip(leads, shape.values(), strict=True), "}"))
            yield "{"
        elif isinstance(shape, list):
            stack.append((((", " if number else "", item) for number, item in enumerate(shape)), "]"))
            yield "["
        else:
            yield quote(shape) if isinstance(shape, str) else json.dumps(shape)
        while stack:
            following = next(stack[-1][0], None)
            if following is not None:
                break
            yield stack.pop()[1]
        else:
            return
        lead, item = following
        yield lead
        shape = level(item)


def level(value: object, *, outermost: bool = False) -> Level:
    """Returns what JSON has for any value, one level of it: what stands in a list or dict is still as it was."""
    if value is None or type(value) in (bool, str):
        return value  # type: ignore[return-value]
    if isinstance(value, ObjectId):
        return value.hex()
    if isinstance(value, Unresolved | Opaque | Ignored):
        return _placeholder(value)
    if isinstance(value, Link):
        return {"$type": "link", "oid": bytes(value.oid).hex()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value, outermost=outermost)
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, list | tuple):
        return list(value)
    return _scalar(value)


def format_time(time: datetime) -> str:
    """Returns RFC 3339 in UTC, with microseconds: `2026-11-20T10:02:11.000000Z`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _fields(value: object, *, outermost: bool) -> Level:
    fields = dataclasses.fields(value)  # type: ignore[arg-type]
    shown: dict[str, object] = {f.name: getattr(value, f.name) for f in fields if f.metadata.get("json", True)}
    if outermost or type(value).__module__.startswith(_OURS):  # the outermost is the answer, whoever made it
        return shown
    return {"$type": _type_name(value), **shown}


def _placeholder(value: Unresolved | Opaque | Ignored) -> Level:
    """Returns the form of what stands for a value: a record reads as if its class were here."""
    if isinstance(value, Ignored):
        return {"$type": "ignored"}
    name = value.type_name.replace(":", ".").removeprefix("builtins.")
    if isinstance(value, Opaque):
        return {"$type": "opaque", "text": name}
    if value.number == ENUM and value.parts[0] is not None:
        return {"$type": name, "text": value.parts[0]}
    fields = value.fields
    if len(fields) * 2 == len(value.parts):
        return {"$type": name, **fields}
    return {"$type": name, "items": list(value.parts)}


def _mapping(value: Mapping[object, object]) -> Level:
    if all(isinstance(key, str) and key != "$type" for key in value):
        return {str(key): item for key, item in value.items()}
    return {"$type": "dict", "items": [[key, item] for key, item in value.items()]}


def _scalar(value: object) -> Level:
    if isinstance(value, Enum):
        if isinstance(value, str) and type(value).__module__.startswith(_OURS):
            return str(value.value)
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
        return {"$type": type(value).__name__, "items": list(value)}
    return {"$type": _type_name(value), "text": str(value)}


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
