"""gv count-objects: how many objects there are, and how much disk they take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint

_KIB = 1024


@dataclass(frozen=True, slots=True)
class ObjectsCounted:
    """Objects in segments (`count`), in packs, and in files that gc has condemned (`garbage`); sizes are bytes on disk."""

    count: int
    segments: int
    size_bytes: int
    in_pack: int
    packs: int
    size_pack_bytes: int
    garbage: int
    size_garbage_bytes: int
    verbose: bool = field(metadata=HIDDEN)
    human: bool = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        if not self.verbose:
            size = (
                self._size(self.size_bytes + self.size_pack_bytes)
                if self.human
                else f"{self._size(self.size_bytes + self.size_pack_bytes)} kilobytes"
            )
            yield f"{self.count + self.in_pack} objects, {size}"
            return
        yield f"count: {self.count}"
        yield f"segments: {self.segments}"
        yield f"size: {self._size(self.size_bytes)}"
        yield f"in-pack: {self.in_pack}"
        yield f"packs: {self.packs}"
        yield f"size-pack: {self._size(self.size_pack_bytes)}"
        yield f"garbage: {self.garbage}"
        yield f"size-garbage: {self._size(self.size_garbage_bytes)}"

    def _size(self, size_bytes: int) -> str:
        return units.size(size_bytes) if self.human else str(-(-size_bytes // _KIB))


@click.command("count-objects", cls=Command)
@click.option("-v", "--verbose", is_flag=True, help="Tell segments, packs and garbage apart, one fact a line")
@click.option("-H", "--human-readable", "human", is_flag=True, help="Print sizes with a unit, not in KiB")
@pass_context
def command(cx: CommandContext, verbose: bool, human: bool) -> None:
    """Count the objects and the disk they take (plumbing)

    Segments are what processes append to; packs are what those become; garbage is what gc has condemned and will delete.

    \b
    Example:
      gv count-objects -vH
    """
    found = cx.repository.objects.count()
    cx.output.result(
        ObjectsCounted(
            found.live_objects, found.live_files, found.live_bytes, found.packed_objects, found.packs, found.pack_bytes,
            found.condemned_files, found.condemned_bytes, verbose, human,
        )
    )  # fmt: skip
