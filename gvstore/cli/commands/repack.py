"""gv repack: makes one pack of many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint


@dataclass(frozen=True, slots=True)
class Packed:
    """Files of objects before and after; `recompressed` where a dictionary trained on them made them smaller."""

    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    recompressed: bool

    def lines(self, paint: Paint) -> Iterator[str]:
        before = f"{units.count(self.files_before, 'file')}, {units.size(self.bytes_before)}"
        after = f"{units.count(self.files_after, 'file')}, {units.size(self.bytes_after)}"
        yield f"{before} → {after}" + ("  compressed anew" if self.recompressed else "")


@click.command("repack", cls=Command)
@pass_context
def command(cx: CommandContext) -> None:
    """Write all objects into one pack, smaller if possible

    Small packs are merged without this as they come.  A repack looks at the whole repository, trains a dictionary on
    it, and compresses all small objects anew if that makes them smaller.  Nothing is removed.

    \b
    Example:
      gv repack
    """
    with cx.output.working("packing"):
        done = cx.repository.objects.repack()
    cx.output.result(
        Packed(done.files_before, done.files_after, done.bytes_before, done.bytes_after, done.recompressed)
    )
