"""What makes one text of another, line by line, as changed stretches where git would show them.

`align` says which lines belong together; where a change could stand at several
places (a line added to a row of equal lines), it is slid as git slides it: to
the end, or to where the other side has a change too.  So a merge joins and
splits what git would.

Source: git, xdiff/xdiffi.c, xdl_change_compact, without the indent heuristic, as merges have it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from gvstore.compare.align import align


class Edit(NamedTuple):
    """`old_size` lines from `old` on became `new_size` lines, in the other text from `new` on."""

    old: int
    old_size: int
    new: int
    new_size: int

    @property
    def old_end(self) -> int:
        """The line after the stretch in the old text."""
        return self.old + self.old_size

    @property
    def new_end(self) -> int:
        """The line after the stretch in the new text."""
        return self.new + self.new_size


def edits(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Edit]:
    """Returns the stretches in which `new` differs from `old`, in order, none touching another on both sides."""
    gone, come = _Side(old), _Side(new)
    for match in align(old, new):
        gone.keep(match.old, match.size)
        come.keep(match.new, match.size)
    if len(old) != gone.kept or len(new) != come.kept:
        _slide(gone, come)
        _slide(come, gone)
    return _stretches(gone.changed, come.changed)


def _stretches(gone: bytearray, come: bytearray) -> list[Edit]:
    found, i, j = [], 0, 0
    while i < len(gone) - 1 or j < len(come) - 1:
        next_i, next_j = gone.find(1, i), come.find(1, j)
        steps = min((at - start for at, start in ((next_i, i), (next_j, j)) if at >= 0), default=-1)
        if steps < 0:
            break
        i, j = i + steps, j + steps
        i_end, j_end = gone.find(0, i), come.find(0, j)
        found.append(Edit(i, i_end - i, j, j_end - j))
        i, j = i_end, j_end
    return found


class _Side:
    """One text: its lines, and which of them the other lacks; a zero stands behind the last."""

    def __init__(self, lines: Sequence[Hashable]) -> None:
        self.lines = lines
        self.changed = bytearray(b"\1" * len(lines) + b"\0")
        self.kept = 0

    def keep(self, start: int, size: int) -> None:
        """Notes that the other text has these lines too."""
        self.changed[start : start + size] = bytes(size)
        self.kept += size


class _Group:
    """A stretch of changed lines, perhaps empty: every kept line stands between two of them."""

    def __init__(self, side: _Side) -> None:
        self._side, self._lines, self._changed = side, side.lines, side.changed
        self.start = 0
        self.end = self._changed.find(0)

    @property
    def empty(self) -> bool:
        """Whether there is no changed line in it."""
        return self.start == self.end

    def forward(self) -> bool:
        """Goes on to the next group; returns whether there is one."""
        if self.end == len(self._lines):
            return False
        self.start = self.end + 1
        self.end = self._changed.find(0, self.start)
        return True

    def back(self) -> None:
        """Goes back to the group before."""
        self.end = self.start - 1
        self.start = self._changed.rfind(0, 0, self.end) + 1

    def slide_up(self) -> bool:
        """Moves the group one line up, joining one that it meets; returns whether it can."""
        if not self.start or self._lines[self.start - 1] != self._lines[self.end - 1]:
            return False
        self.start, self.end = self.start - 1, self.end - 1
        self._changed[self.start], self._changed[self.end] = 1, 0
        self.start = self._changed.rfind(0, 0, self.start) + 1
        return True

    def slide_down(self) -> bool:
        """Moves the group one line down, joining one that it meets; returns whether it can."""
        if self.end == len(self._lines) or self._lines[self.start] != self._lines[self.end]:
            return False
        self._changed[self.start], self._changed[self.end] = 0, 1
        self.start = self.start + 1
        self.end = self._changed.find(0, self.end + 1)
        return True


def _slide(side: _Side, other: _Side) -> None:
    """Slides each group of `side` to its place: where `other` has a group too, else as far down as it goes."""
    group, across = _Group(side), _Group(other)
    while True:
        if not group.empty:
            _slide_one(group, across)
        if not group.forward():
            return
        across.forward()


def _slide_one(group: _Group, across: _Group) -> None:
    size = -1
    matching = highest = 0
    while size != group.end - group.start:
        size = group.end - group.start
        while group.slide_up():
            across.back()
        highest = group.end
        matching = -1 if across.empty else group.end
        while group.slide_down():
            across.forward()
            if not across.empty:
                matching = group.end
    if group.end != highest and matching >= 0:
        while across.empty:
            group.slide_up()
            across.back()
