"""gv fsck: checks that everything stored is whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.objects.oid import ObjectId


@dataclass(frozen=True, slots=True)
class FoundFault:
    """Something that does not hold; without `damage` it is strange and does no harm."""

    where: str
    why: str
    oid: ObjectId | None
    damage: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check found; `clean` where nothing is damaged."""

    clean: bool
    faults: tuple[FoundFault, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        for fault in self.faults:
            word = paint("bad", "damaged") if fault.damage else paint("warning", "strange")
            yield f"{word}  {fault.where}: {fault.why}"
        if self.clean:
            yield paint("good", "clean")
        else:
            yield paint("bad", f"damaged in {units.count(sum(fault.damage for fault in self.faults), 'place')}")


@click.command("fsck", cls=Command)
@click.option("--quick", is_flag=True, help="Read only what refs lead to, not every stored record")
@pass_context
def command(cx: CommandContext, quick: bool) -> int:
    """Check that everything stored is whole

    The files of the object database, the refs, and every object that refs, operations and runs lead to.  Ends with
    status 1 if something is damaged.

    \b
    Example:
      gv fsck
    """
    found = tuple(
        FoundFault(each.where, each.why, each.oid, each.damage) for each in cx.repository.fsck(full=not quick)
    )
    clean = not any(fault.damage for fault in found)
    cx.output.result(Checked(clean, found))
    return 0 if clean else 1
