"""Values that differ, as lines: where, and what stands there on either side.

.messages[2]['content']   'calm' → 'wild'
.seed                     7 → 8
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.cli.value_text import value_line
from gvstore.compare.text import Side, Span
from gvstore.compare.values import ABSENT, ValueChange, ValueDiff, diff_values, format_path

_WIDTH = 60
_CONTEXT = 24  # characters around a changed word
_FEW_PIECES = 8


@dataclass(frozen=True, slots=True)
class ChangedValue:
    """One difference: `change` is changed, added, removed or order; a side that is not there is null."""

    change: str
    path: str
    old: object
    new: object
    words: tuple[Span, ...] | None = field(metadata=HIDDEN)

    def named_by_key(self) -> ChangedValue:
        """Returns the same with a path `['topic'].name` as `topic.name`: for parts of a call's arguments."""
        found = re.match(r"\['(\w+)'\](.*)", self.path, re.DOTALL)
        return replace(self, path=found.group(1) + found.group(2)) if found else self

    def line(self, paint: Paint) -> str:
        """Returns where and what."""
        where = f"{self.path}   " if self.path else ""
        if self.change == ValueChange.ORDER:
            return f"{where}{paint('changed', 'the same keys in another order')}"
        if self.change == ValueChange.ADDED:
            return f"{where}{paint('added', '+ ' + value_line(self.new, _WIDTH))}"
        if self.change == ValueChange.REMOVED:
            return f"{where}{paint('removed', '- ' + value_line(self.old, _WIDTH))}"
        if self.words is not None and _words_tell(self.words):
            return f"{where}{words_line(self.words, paint)}"
        old, new = parted(self.old, self.new, _WIDTH)
        return f"{where}{paint('removed', old)} → {paint('added', new)}"


def _words_tell(spans: tuple[Span, ...]) -> bool:
    """Returns whether a text was edited rather than written anew: few pieces changed, and something stayed."""
    changed = sum(span.side is not Side.BOTH for span in spans)
    same = sum(len(span.text) for span in spans if span.side is Side.BOTH)
    return changed <= _FEW_PIECES and 4 * same >= sum(len(span.text) for span in spans)


def parted(old: object, new: object, width: int) -> tuple[str, str]:
    """Returns both values on a line each; what two texts begin with in common is left out where it is long."""
    if type(old) is str and type(new) is str:
        pairs = enumerate(zip(old, new, strict=False))
        shared = next((i for i, (a, b) in pairs if a != b), min(len(old), len(new)))
        if shared > _CONTEXT and max(len(old), len(new)) > width:
            start = shared - _CONTEXT // 2
            return f"…{value_line(old[start:], width - 1)}", f"…{value_line(new[start:], width - 1)}"
    return value_line(old, width), value_line(new, width)


def words_line(spans: tuple[Span, ...], paint: Paint) -> str:
    """Returns a text's changed words in their surroundings: `…a [-calm-] {+wild+} sea…`."""
    pieces = []
    for number, span in enumerate(spans):
        text = " ".join(span.text.split("\n"))
        if span.side is Side.OLD:
            pieces.append(paint("removed", f"[-{text}-]"))
        elif span.side is Side.NEW:
            pieces.append(paint("added", f"{{+{text}+}}"))
        elif len(text) <= 2 * _CONTEXT:
            pieces.append(text)
        else:
            head = text[:_CONTEXT] if number else ""
            tail = text[-_CONTEXT:] if number + 1 < len(spans) else ""
            pieces.append(f"{head}…{tail}")
    return "".join(pieces)


def changed_values(old: object, new: object) -> tuple[ChangedValue, ...]:
    """Returns how two values differ, in the order of the values."""
    return tuple(_changed(found) for found in diff_values(old, new))


def _changed(found: ValueDiff) -> ChangedValue:
    return ChangedValue(
        change=found.change.value,
        path=format_path(found.path),
        old=None if found.old is ABSENT else found.old,
        new=None if found.new is ABSENT else found.new,
        words=found.words,
    )


def value_lines(values: tuple[ChangedValue, ...], paint: Paint) -> Iterator[str]:
    """Yields a line a difference."""
    return (value.line(paint) for value in values)
