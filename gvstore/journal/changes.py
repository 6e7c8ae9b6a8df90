"""Arguments that a call changed: found when it ends, written back in place when the record answers it."""

from __future__ import annotations

from typing import Any, Final

from gvstore.journal.component import LiveComponent
from gvstore.journal.fault import InputChanged
from gvstore.journal.frame import Frame
from gvstore.journal.redact import has_holes
from gvstore.journal.state import bring_to
from gvstore.objects import number
from gvstore.objects.fault import CorruptObject
from gvstore.objects.placeholder import Opaque
from gvstore.objects.record import NIL
from gvstore.objects.wire import linked, pack, split

UNCHANGING: Final = frozenset({type(None), bool, int, float, complex, str, bytes, type})
_TUPLE: Final = pack(number.TUPLE)
_DICT: Final = pack(number.DICT)


def changed_arguments(frame: Frame, args: tuple[Any, ...], kwargs: dict[str, Any], *, refuse: bool = True) -> bytes:
    """Returns a dict, encoded, of the arguments that differ from what was recorded when the call began; nil if none does.

    Raises:
        InputChanged: some do, and enact's contract forbids it.
    """
    recording, live = frame.recording, frame.live
    values = live.bind(args, kwargs)
    after = recording.encode(values)
    if recording.unstored:
        recording.altered()
    if after == frame.args:
        return NIL
    if recording.forbids_changes and refuse:
        raise InputChanged(f"{live.qualname} changed its arguments while it ran")
    before = _elements(frame.args, frame)
    named = values if isinstance(values, dict) else dict(zip(live.parameters, values, strict=True))
    changed: dict[str, Any] = {}
    for name, value in named.items():
        if before.get(name) != recording.encode(value):
            changed[name] = value
    data = recording.encode(changed)
    if recording.unstored:
        recording.altered()
    return data


def _elements(args: bytes, frame: Frame) -> dict[str, bytes]:
    """Returns the encoding of each argument by name, as far as they stand in one array."""
    oid = linked(args)
    try:
        head, *parts = split(args if oid is None else memoryview(frame.recording.objects.read(oid))[1:])
    except CorruptObject:
        return {}
    if head == _TUPLE:
        return dict(zip(frame.live.parameters, parts, strict=False))
    if head == _DICT:
        names = {pack(name): name for name in (*frame.live.parameters, "args", "kwargs")}
        return {names[key]: value for key, value in zip(parts[::2], parts[1::2], strict=True) if key in names}
    return {}


def write_back(live: LiveComponent, args: tuple[Any, ...], kwargs: dict[str, Any], changed: dict[str, Any]) -> None:
    """Brings the arguments of a call that the record answers to what the recorded call made of them."""
    values = live.bind(args, kwargs)
    named = values if isinstance(values, dict) else dict(zip(live.parameters, values, strict=True))
    for name, value in changed.items():
        if name in named and type(value) is not Opaque and not has_holes(value):
            bring_to(named[name], value)
