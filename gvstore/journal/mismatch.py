"""What to say where a strict replay leaves the record: what was expected, what came, at which call, and the difference.

the record goes on with call 1, ask(prompt='a calm sea'), but ask was called with other arguments: prompt 'a [-calm-] {+wild+} sea'

It is one line, however much differs: a run keeps it as its error, and trees of calls show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gvstore.compare.text import Side, Span
from gvstore.compare.values import ABSENT, Key, ValueChange, ValueDiff, diff_values, format_path
from gvstore.errors import Corrupt
from gvstore.journal.component import LiveComponent
from gvstore.objects.decode import decode

if TYPE_CHECKING:
    from gvstore.journal.address import CallPath
    from gvstore.journal.replayer import Replayer

_WIDTH: Final = 60
_AROUND: Final = 24
_MOST: Final = 12
_FEW_PIECES: Final = 8


def expected_text(replayer: Replayer, path: CallPath, elements: list[bytes]) -> str:
    """Returns `the record goes on with call 1, ask(prompt='b')`."""
    component = replayer.component(elements[1])
    state, values = _given(replayer, elements[5] if len(elements) > 5 else b"\xc0", elements[2], component.parameters)
    return f"the record goes on with call {'.'.join(map(str, path))}, {_called(component.name, state, values)}"


def came_text(replayer: Replayer, elements: list[bytes], live: LiveComponent, args: bytes, state: bytes) -> str:
    """Returns which call came instead; of the same component, how its arguments differ."""
    component = replayer.component(elements[1])
    came_state, came = _given(replayer, state, args, live.parameters)
    if live.name(replayer.root) != component.name:
        return f"{_called(live.qualname, came_state, came)} was called"
    return f"{live.qualname} was called with other arguments: {given_difference(replayer, elements, live, args, state)}"


def given_difference(replayer: Replayer, elements: list[bytes], live: LiveComponent, args: bytes, state: bytes) -> str:
    """Returns how what a call is given differs from what a recorded call of its component was."""
    parameters = replayer.component(elements[1]).parameters
    came_state, came = _given(replayer, state, args, live.parameters)
    was_state, was = _given(replayer, elements[5] if len(elements) > 5 else b"\xc0", elements[2], parameters)
    found = [("self", each) for each in diff_values(was_state, came_state)]
    found += [("", each) for each in diff_values(was, came)]
    lines = [_line(where, each) for where, each in found[:_MOST]]
    if len(found) > _MOST:
        lines.append(f"and {len(found) - _MOST} more differences")
    return "; ".join(lines)


def given_text(
    replayer: Replayer, name: str, parameters: tuple[str, ...], args: bytes, state: bytes, *, whole: bool = False
) -> str:
    """Returns `ask(prompt='b')`; with `whole`, however long it is."""
    instance, values = _given(replayer, state, args, parameters)
    return f"{name}{values!r}{instance!r}" if whole else _called(name, instance, values)


def difference_text(old: object, new: object) -> str:
    """Returns how two values differ, on one line: `7 → 8`, `'a [-calm-] {+wild+} sea'`, `['x'] 1 → 2`."""
    found = list(diff_values(old, new))
    lines = [_line("", each).strip() for each in found[:_MOST]] or [f"{_cut(old)} → {_cut(new)}"]
    if len(found) > _MOST:
        lines.append(f"and {len(found) - _MOST} more differences")
    return "; ".join(lines)


def _given(replayer: Replayer, state: bytes, args: bytes, parameters: tuple[str, ...]) -> tuple[Any, dict[str, Any]]:
    """Returns the instance and the arguments by parameter, as they are encoded in a call."""
    try:
        values = decode(args, replayer.reader)
        instance = decode(state, replayer.reader)
    except Corrupt:
        return None, {}
    if not isinstance(values, dict):
        values = dict(zip(parameters, values, strict=False))
    return instance, values


def _called(name: str, state: Any, values: dict[str, Any]) -> str:
    given = ", ".join(f"{key}={_cut(value)}" for key, value in values.items())
    text = f"{name.rpartition('.')[2]}({given if len(given) <= 2 * _WIDTH else given[: 2 * _WIDTH - 1] + '…'})"
    return text if state is None else f"{text} on {_cut(state)}"


def _cut(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # a program's own __repr__
        text = f"<{type(value).__qualname__}>"
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


def _line(where: str, found: ValueDiff) -> str:
    first = found.path[0] if found.path else None
    if not where and isinstance(first, Key):
        where, rest = str(first.key), found.path[1:]
    else:
        rest = found.path
    place = f"{where}{format_path(rest)} "
    if found.change is ValueChange.ORDER:
        return f"{place}the same keys in another order"
    if found.old is ABSENT:
        return f"{place}+ {_cut(found.new)}"
    if found.new is ABSENT:
        return f"{place}- {_cut(found.old)}"
    if found.words is not None and _words_tell(found.words):
        return f"{place}{_words(found.words)!r}"
    return f"{place}{_cut(found.old)} → {_cut(found.new)}"


def _words_tell(spans: tuple[Span, ...]) -> bool:
    """Returns whether a text was edited rather than written anew."""
    same = sum(len(span.text) for span in spans if span.side is Side.BOTH)
    changed = [span for span in spans if span.side is not Side.BOTH]
    return len(changed) <= _FEW_PIECES and 4 * same >= sum(len(span.text) for span in spans)


def _words(spans: tuple[Span, ...]) -> str:
    marks = {Side.OLD: ("[-", "-]"), Side.NEW: ("{+", "+}")}
    pieces = []
    for number, span in enumerate(spans):
        text = span.text
        if span.side is Side.BOTH and len(text) > 2 * _AROUND:
            text = f"{text[:_AROUND] if number else ''}…{text[-_AROUND:] if number + 1 < len(spans) else ''}"
        before, after = marks.get(span.side, ("", ""))
        pieces.append(before + text + after)
    return "".join(pieces)
