"""gv gc: takes away what nothing leads to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint


@dataclass(frozen=True, slots=True)
class Swept:
    """What gc found and did; with `dry_run`, what it would do.

    `holders` are processes for which condemned objects stay.
    """

    objects: int
    garbage: int
    garbage_bytes: int
    condemned: int
    deleted_bytes: int
    waiting_bytes: int
    holders: int
    dry_run: bool

    def lines(self, paint: Paint) -> Iterator[str]:
        if not (self.garbage or self.deleted_bytes or self.waiting_bytes):
            yield f"{units.count(self.objects, 'object')}, no garbage"
            return
        would = "would be " if self.dry_run else ""
        if self.garbage:
            yield f"{units.count(self.garbage, 'object')} of {self.objects:,} are garbage, {units.size(self.garbage_bytes)}"
        if self.condemned:
            yield f"{would}condemned: {units.count(self.condemned, 'object')}"
        if self.deleted_bytes:
            yield f"{would}deleted: {units.size(self.deleted_bytes)}"
        if self.waiting_bytes:
            held = f", or for {units.count(self.holders, 'process', 'processes')} at work" if self.holders else ""
            yield f"waiting for their time{held}: {units.size(self.waiting_bytes)}"


@click.command("gc", cls=Command)
@click.option("--prune", metavar="now|TIME", help="Delete what was condemned before TIME, not only 14 days ago")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be done; change nothing")
@pass_context
def command(cx: CommandContext, prune: str | None, dry_run: bool) -> None:
    """Take away what nothing leads to

    Kept is what refs lead to, what refs held in the last 90 days (gc.reflog), what programs put, and what running
    programs may need.  The rest is condemned: no longer used, but still there.  It is deleted by a gc that runs 14 days
    later (gc.grace), and never while a process lives that may have been told of it.

    \b
    Example:
      gv gc
      gv gc --prune=now
    """
    repo = cx.journal
    with cx.output.working("collecting"):
        done = repo.gc(prune=prune, dry_run=dry_run)
        if not dry_run:
            repo.objects.repack(by_the_way=True)
    cx.output.result(
        Swept(
            done.objects, done.garbage, done.garbage_bytes, done.condemned, done.deleted_bytes, done.waiting_bytes,
            done.holders, dry_run,
        )
    )  # fmt: skip
