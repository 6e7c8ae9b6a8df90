"""gv forget: takes objects away for good."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault, WouldLose
from gvstore.objects.oid import ObjectId

_MOST_PLACES = 5


class NotConfirmed(WouldLose):
    """What was asked cannot be taken back, and nobody said yes."""

    hint = "Give --yes to do it, or --dry-run to see what else refers to it."

    def __init__(self) -> None:
        super().__init__("forgetting cannot be undone, and there is no terminal to ask at")


@dataclass(frozen=True, slots=True)
class SameText:
    """Another object with the same text, which stays: where it stands, and what `gv forget` takes to take it too."""

    oid: ObjectId
    where: tuple[str, ...]
    forget: str


@dataclass(frozen=True, slots=True)
class ToForget:
    """An object to be forgotten; `referrers` will find a tombstone in its place, `copies` hold the same text."""

    name: str
    oid: ObjectId
    referrers: tuple[str, ...]
    copies: tuple[SameText, ...]

    def left(self) -> Iterator[str]:
        """Yields what stays: who names it, and where else the text stands."""
        yield from (f"  still named by {where}" for where in self.referrers)
        by_name: dict[str, list[str]] = {}
        for each in self.copies:
            by_name.setdefault(each.forget, []).extend(each.where)
        for name, found in sorted(by_name.items()):
            places = sorted({where.removesuffix(":") for where in found}) or ["an object that nothing names"]
            more = f" and {len(places) - _MOST_PLACES:,} more places" if len(places) > _MOST_PLACES else ""
            yield f"  the same text stays in {', '.join(places[:_MOST_PLACES])}{more}: `gv forget {name}`"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten, or with `dry_run` would be.

    `objects` that only these led to went with them.  `waiting_bytes` of those stay until processes end that may have
    been told of them; `holders` are files that still have one of the forgotten objects itself.
    """

    forgotten: tuple[ToForget, ...]
    objects: int
    waiting_bytes: int
    holders: tuple[str, ...]
    dry_run: bool

    def lines(self, paint: Paint) -> Iterator[str]:
        for each in self.forgotten:
            word = "would forget" if self.dry_run else "forgot"
            yield f"{word} {paint('ref', each.name)}  {paint('oid', each.oid.hex()[:8])}"
            yield from each.left()
        if self.objects:
            yield f"{units.count(self.objects, 'object')} that only this led to went with it"
        if self.waiting_bytes:
            yield f"{units.size(self.waiting_bytes)} wait for programs at work: `gv gc --prune=now` takes them when these have ended"
        for file in self.holders:
            yield f"{paint('warning', 'still in')} .gv/objects/{file}: run it again when no program is at work"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Objects that may be stored again."""

    allowed: tuple[ObjectId, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        for oid in self.allowed:
            yield f"{paint('oid', oid.hex()[:8])} may be stored again"


@click.command("forget", cls=Command)
@click.argument("revs", nargs=-1, required=True, metavar="OID|RUN|REV...")
@click.option("-m", "--message", metavar="WHY", default="", help="Say why; whoever comes across the gap reads it")
@click.option("-y", "--yes", is_flag=True, help="Do it without asking")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be forgotten and what refers to it; change nothing")
@click.option("--allow", is_flag=True, help="Let forgotten objects be stored again")
@pass_context
def command(
    cx: CommandContext, revs: tuple[str, ...], message: str, yes: bool, dry_run: bool, allow: bool
) -> None:
    """Take objects away for good: secrets, runs nobody wants

    The object goes, from every file under .gv/objects, with what only it led to.  A tombstone stays: what refers to it
    says that it was forgotten, when and why, and the same content is not stored again by accident.  Other objects that
    hold the same text stay: those that hold all of it are named, with what to type.  A small value stands inside the
    object that holds it; forget that.  Copies elsewhere, and files set aside by `gv fsck --repair`, are not touched.

    \b
    Example:
      gv forget run/7 -m "customer data"
      gv forget 9dea0b07:secrets.env --yes
    """
    if allow:
        from gvstore.repo.forget import allow as allow_again

        cx.output.result(Allowed(tuple(allow_again(cx.repository, revs))))
        return
    targets = cx.journal.forget_targets(revs)
    told = tuple(
        ToForget(each.text, each.oid, each.referrers, tuple(SameText(c.oid, c.where, c.forget) for c in each.copies))
        for each in targets
    )
    if dry_run:
        cx.output.result(Forgotten(told, 0, 0, (), dry_run=True))
        return
    if not yes:
        _confirm(told)
    with cx.output.working("forgetting"):
        done = cx.journal.forget(targets, why=message)
    cx.output.result(Forgotten(told, done.objects, done.waiting_bytes, done.holders, dry_run=False))


def _confirm(told: tuple[ToForget, ...]) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise NotConfirmed
    for each in told:
        click.echo(f"{each.name}  {each.oid.hex()[:8]}", err=True)
        for line in each.left():
            click.echo(line, err=True)
    if not click.confirm("Forget this for good?", err=True):
        raise UsageFault("nothing was forgotten", hint="")
