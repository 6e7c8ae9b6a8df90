"""What queries ask of a run: facts in plain values, as JSON has them.

They follow from the run's objects alone, so they may be kept by its oid
(run_index.py).  Numbers, tags, notes and scores stand in refs and are no part of them.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from gvstore.journal.invocation import Invocation
from gvstore.objects import run as stored
from gvstore.objects.component import Component
from gvstore.objects.decode import decode
from gvstore.objects.exception import text_of
from gvstore.objects.number import ENUM
from gvstore.objects.oid import ObjectId
from gvstore.objects.placeholder import Ignored, Opaque, Unresolved, exception_text
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.record import NIL
from gvstore.objects.wire import split
from gvstore.store.store import Store

_DEPTH = 20  # of what stands in arguments and outputs; below it a text stands for the rest
_COUNTS = ("calls", "executed", "reused", "prompt_tokens", "completion_tokens", "cost_microusd")

Known = dict[ObjectId, Component]


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one run; times in microseconds UTC, `parent` as hex, "" for none."""

    status: str
    target: str
    started_at: int
    ended_at: int
    component: str = ""
    group: str = ""
    message: str = ""
    author: str = ""
    branch: str = ""
    parent: str = ""
    by: str | None = None  # how it came from its parent
    counts: dict[str, int] = field(default_factory=dict)
    labels: dict[str, Any] = field(default_factory=dict)
    args: dict[str, Any] = field(default_factory=dict)
    output: Any = None
    raised: str | None = None

    def encode(self) -> str:
        """Returns the facts as JSON: a list, in the order of the fields."""
        values = [getattr(self, name) for name in _NAMES]
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def decode(cls, text: str) -> Facts:
        """Returns the facts that the text holds.

        Raises:
            ValueError: it holds none.
        """
        values = json.loads(text)
        if type(values) is not list or len(values) != len(_NAMES):
            raise ValueError("these are no facts of a run")
        return cls(*values)


_NAMES = tuple(each.name for each in dataclasses.fields(Facts))
_BY_COMMAND = {"rewind": "rewind", "cherry-pick": "pick", "answer": "answer", "rebase": "rebase", "replay": "replay"}


def facts_of(record: stored.Run, store: Store, known: Known | None = None) -> Facts:
    """Returns the facts of a run; `known` are components that were read already, and gets those that are.

    Raises:
        Corrupt: its root call is damaged or gone.
    """
    component, args, output, raised = "", dict[str, Any](), None, None
    if record.root is not None:
        call = Invocation.of_oid(store, record.root, known)
        component, status = call.component.name, call.status
        args = {name: plain(value) for name, value in call.args.items()}
        output = plain(call.get_output()) if status == "ok" else None
        raised = _raised(call) if status == "raised" else None
    labels = decode(record.labels, store.objects) or {}
    return Facts(
        record.status, record.target, record.started_at, record.ended_at, component, record.group, record.message, record.author,
        record.branch, record.parent.hex() if record.parent is not None else "", how(record, store.objects),
        {name: record.counts[name] for name in _COUNTS if name in record.counts}, plain(labels), args, output, raised,
    )  # fmt: skip


def how(record: stored.Run, reader: ObjectReader) -> str | None:
    """Returns how a run came from its parent: rewind, pick, answer, rebase or replay; None where it came from none."""
    if record.parent is None:
        return None
    if record.status == "rewound":
        return "rewind"
    if record.terms != NIL and "pick" in (decode(record.terms, reader) or {}):
        return "pick"
    return next((_BY_COMMAND[word] for word in record.argv[1:] if word in _BY_COMMAND), "replay")


def _raised(call: Invocation) -> str:
    error = decode(split(call.call.outcome)[1], call.store.objects)
    if isinstance(error, Unresolved):
        return exception_text(error)
    if not isinstance(error, BaseException):
        return repr(error)
    name, text = type(error).__qualname__, text_of(error)
    return f"{name}: {text}" if text else name


def plain(value: Any, depth: int = _DEPTH) -> Any:
    """Returns a value as JSON has it: records and named tuples as dicts, sets as lists, all else as text.

    It is the same whether the value's class is loaded here or not.
    """
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value.encode("utf-8", "replace").decode() if kind is str and not value.isascii() else value
    if kind is float:
        return value if math.isfinite(value) else str(value)
    if depth == 0:
        return str(kind.__name__)
    if isinstance(value, Unresolved):
        return _of_unresolved(value, depth)
    if isinstance(value, Opaque | Ignored):
        return None
    if isinstance(value, Enum):
        return value.name
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name, None), depth - 1) for each in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key if type(key) is str else str(plain(key, 1)): plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: plain(item, depth - 1) for name, item in zip(value._fields, value, strict=False)}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, depth - 1) for item in value]
    if isinstance(value, int | float | str):
        return plain(int(value) if isinstance(value, int) else float(value) if isinstance(value, float) else str(value), depth)
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    fields = getattr(kind, "model_fields", None)  # pydantic's
    if isinstance(fields, Mapping):
        return {name: plain(getattr(value, name, None), depth - 1) for name in fields}
    return value.isoformat() if isinstance(value, datetime) else _text(value)


def _of_unresolved(value: Unresolved, depth: int) -> Any:
    if value.number == ENUM:
        return plain(value.parts[0] if value.parts else None, depth - 1)
    if value.fields:
        return {name: plain(item, depth - 1) for name, item in value.fields.items()}
    return [plain(item, depth - 1) for item in value.parts] if value.parts else value.type_name.rpartition(":")[2]


def _text(value: Any) -> str:
    """Returns how a value of a library or the standard library is written; of a program's own class, its name."""
    kind = type(value)
    return str(value) if kind.__module__ in ("decimal", "datetime", "fractions", "uuid", "pathlib") else kind.__name__
