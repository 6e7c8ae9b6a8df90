"""How many lines came and went in each file, with a bar, within the width of a terminal: what `git diff --stat` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gvstore.cli import units
from gvstore.cli.cells import cells
from gvstore.cli.style import Paint
from gvstore.compare.text import SizeDiff, TextDiff

if TYPE_CHECKING:
    from gvstore.cli.file_diff import ChangedFile

_SHORTEST_BAR, _SHORTEST_NAME = 6, 8


def stat_lines(files: Sequence[ChangedFile], paint: Paint) -> Iterator[str]:
    """Yields a line a file, and their sum."""
    changes = [(file.added_lines or 0) + (file.removed_lines or 0) for file in files if isinstance(file.diff, TextDiff)]
    most = max(changes, default=0)
    digits = len(str(most))
    longest = max((cells(file.name) for file in files), default=0)
    room = paint.width - digits - 5  # " name | 12 "
    bar = min(most, max(_SHORTEST_BAR, min(room - longest, paint.width * 3 // 8)))
    names = min(longest, max(_SHORTEST_NAME, room - bar))
    for file in files:
        name = shortened(file.name, names)
        start = f" {name}{' ' * (names - cells(name))} | "
        if isinstance(file.diff, TextDiff):
            added, removed = file.added_lines or 0, file.removed_lines or 0
            plus, minus = _scaled(added, removed, most, bar)
            signs = paint("added", "+" * plus) + paint("removed", "-" * minus)
            yield f"{start}{added + removed:>{digits}} {signs}".rstrip()
        elif isinstance(file.diff, SizeDiff):
            yield f"{start}{units.size(file.diff.old_bytes)} → {units.size(file.diff.new_bytes)}"
        else:
            yield start + paint("warning", file.diff.told)
    added = sum(file.added_lines or 0 for file in files)
    removed = sum(file.removed_lines or 0 for file in files)
    yield f" {units.count(len(files), 'file')} changed, {added} added, {removed} removed"


def _scaled(added: int, removed: int, most: int, bar: int) -> tuple[int, int]:
    """Returns how many signs stand for the lines; where there are lines, there is a sign."""
    if most <= bar or not added + removed:
        return added, removed
    total = max(1, round((added + removed) * bar / most), (added > 0) + (removed > 0))
    plus = min(total - (removed > 0), max(added > 0, round(added * bar / most)))
    return plus, total - plus


def shortened(name: str, width: int) -> str:
    """Returns a path that fits: what is too long loses its beginning, at a slash where there is one."""
    if cells(name) <= width:
        return name
    while name and cells(name) > width - 1:
        name = name[1:]
    _, slash, rest = name.partition("/")
    return "…" + (slash + rest if slash and rest else name)
