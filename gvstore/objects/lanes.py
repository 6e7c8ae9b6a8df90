"""Which thread of control below a call made each of its children: runs of neighbours.

A *lane* is a task or thread that a call spawned, named by its path: `()` is the
call's own body, `(2,)` the third lane spawned by it, `(2, 0)` the first that
this one spawned.  Children stand in the order in which they would have begun
had each lane run to its end where it was spawned, so that their order does not
depend on timing.  The list of runs, `[1, count, path...]` each, is left out
where all children are the body's own.
"""

from __future__ import annotations

from collections.abc import Iterator

from gvstore.objects import number
from gvstore.objects.fault import CorruptObject
from gvstore.objects.invocation import PartList
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.record import NIL
from gvstore.objects.sequence import ItemList
from gvstore.objects.wire import pack, unpack

LanePath = tuple[int, ...]


class LaneRuns:
    """Collects the runs as children come."""

    __slots__ = ("_count", "_items", "_path", "_writer")

    def __init__(self, writer: ObjectWriter) -> None:
        self._writer = writer
        self._items: ItemList | None = None
        self._path: LanePath = ()
        self._count = 0

    def add(self, path: LanePath, count: int = 1) -> None:
        """Appends children of one lane."""
        if path != self._path:
            self._end_run()
            self._path = path
        self._count += count

    def _end_run(self) -> None:
        if self._items is None:
            self._items = ItemList(self._writer, number.LIST)
        if self._count:
            self._items.add(pack([number.TUPLE, self._count, *self._path]))
        self._count = 0

    def copy(self) -> LaneRuns:
        """Returns another that goes on from here."""
        copied = LaneRuns(self._writer)
        copied._items = None if self._items is None else self._items.copy()
        copied._path, copied._count = self._path, self._count
        return copied

    def finish(self) -> bytes:
        """Returns the encoded list; nil if all were the body's own."""
        if self._items is None:
            return NIL
        self._end_run()
        return self._items.finish()


def iter_lanes(data: bytes, reader: ObjectReader) -> Iterator[tuple[LanePath, int]]:
    """Yields (path, count) of each run.

    Raises:
        CorruptObject: it is no list of runs.
    """
    for item in PartList(data, reader):
        run = unpack(item)
        if (
            type(run) is not list
            or len(run) < 2
            or run[0] != number.TUPLE
            or set(map(type, run)) != {int}
            or run[1] < 1
        ):
            raise CorruptObject(None, "a lane is a count and a path")
        yield tuple(run[2:]), run[1]


def lane_of_each(data: bytes, reader: ObjectReader) -> Iterator[LanePath]:
    """Yields the path of each child's lane; without end the body's, once the runs are over."""
    for path, count in iter_lanes(data, reader):
        for _ in range(count):
            yield path
    while True:
        yield ()


def cut_lanes(data: bytes, count: int, reader: ObjectReader, writer: ObjectWriter) -> bytes:
    """Returns the runs of the first `count` children."""
    runs = LaneRuns(writer)
    for path, many in iter_lanes(data, reader):
        runs.add(path, min(count, many))
        count -= many
        if count <= 0:
            break
    return runs.finish()
