"""Components that changed, as lines: what of each, and through which helper.

    steps.draft   reach: helper texts.marks.strip(), 2 levels down, changed
    steps.Ask     fields: tone: str = "calm" → tone: str = "loud"
    steps.plan    renamed from steps.outline
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gvstore.cli.style import Paint
from gvstore.code.component_diff import APPEARED, FIELDS, GONE, OWN, REACH, RENAMED, TEXT, ComponentChange

_MANY = 4
_WORDS = {
    APPEARED: ("added", "appeared"),
    GONE: ("removed", "gone"),
    OWN: ("changed", "own text"),
    FIELDS: ("changed", "fields"),
    REACH: ("changed", "reach"),
    TEXT: ("quiet", "comments or layout"),
}


def component_lines(changes: Sequence[ComponentChange], paint: Paint, *, indent: str = "") -> Iterator[str]:
    """Yields a line a component, names aligned."""
    width = max((len(each.name) for each in changes), default=0)
    for each in changes:
        yield f"{indent}{each.name.ljust(width)}   {change_text(each, paint)}"


def change_text(change: ComponentChange, paint: Paint) -> str:
    """Returns what changed of a component, without its name."""
    parts = []
    if change.old_name is not None:
        how = "renamed from" if RENAMED in change.changes else "beside"
        parts.append(paint("changed", f"{how} {change.old_name}"))
    for kind in change.changes:
        if kind is RENAMED:
            continue
        role, word = _WORDS[kind]
        told = _details(change.reach, "; ") if kind == REACH else _details(change.fields, ", ") if kind == FIELDS else ""
        parts.append(paint(role, word) + (f": {told}" if told else ""))
    return "; ".join(parts)


def _details(details: Sequence[object], between: str) -> str:
    shown = [str(each) for each in details[:_MANY]]
    more = len(details) - len(shown)
    return between.join([*shown, *([f"and {more} more"] if more else [])])
