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

_DAMAGED = "`gv fsck --repair` saves what is whole and deletes nothing."
_REPAIRED = "What is lost is healed by storing the same content again, or by copying .gv/objects in from another copy; `gv forget` gives it up."


@dataclass(frozen=True, slots=True)
class FoundFault:
    """Something that does not hold; without `damage` it is strange and does no harm."""

    where: str
    why: str
    oid: ObjectId | None
    damage: bool


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was done to a file under `.gv`."""

    file: str
    what: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check found; `clean` where nothing is damaged.  `repaired` is what was done before it."""

    clean: bool
    faults: tuple[FoundFault, ...]
    repaired: tuple[Repaired, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        for each in self.repaired:
            yield f"{paint('good', 'repaired')}  {each.file}: {each.what}"
        for fault in self.faults:
            word = paint("bad", "damaged") if fault.damage else paint("warning", "strange")
            short = fault.oid.hex()[:8] if fault.oid is not None else ""
            name = f"  {paint('oid', short)}" if short and short not in fault.why else ""
            yield f"{word}  {fault.where}: {fault.why}{name}"
        if self.clean:
            yield paint("good", "clean")
        else:
            yield paint("bad", f"damaged in {units.count(sum(fault.damage for fault in self.faults), 'place')}")


@click.command("fsck", cls=Command)
@click.option("--quick", is_flag=True, help="Read only what refs lead to, not every stored record")
@click.option("--full", is_flag=True, help="Compare what refs lead to with the format, to the byte")
@click.option("--repair", is_flag=True, help="Mend what can be mended first; nothing is deleted")
@pass_context
def command(cx: CommandContext, quick: bool, full: bool, repair: bool) -> int:
    """Check that everything stored is whole

    The files of the object database, the refs, and every object that refs, operations and runs lead to: each damaged
    one is told, with what refers to it.  Ends with status 1 if something is damaged.

    A repair saves whole objects out of damaged files, which move to .gv/objects/quarantine, and makes refs.db anew if
    it is lost.  What stays damaged is healed by storing the same content again, or given up with `gv forget`.

    \b
    Example:
      gv fsck
      gv fsck --repair
    """
    repo = cx.repository
    with cx.output.working("repairing" if repair else "checking"):
        repaired = tuple(Repaired(each.file, each.what) for each in repo.repair()) if repair else ()
        found = tuple(
            FoundFault(each.where, each.why, each.oid, each.damage) for each in repo.fsck(full=not quick, exact=full)
        )
    clean = not any(fault.damage for fault in found)
    cx.output.result(Checked(clean, found, repaired))
    if not clean and not cx.json:
        cx.output.hint(_REPAIRED if repair else _DAMAGED)
    return 0 if clean else 1
