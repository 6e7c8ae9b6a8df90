"""gv show-ref: refs and what they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault
from gvstore.objects.oid import ObjectId


@dataclass(frozen=True, slots=True)
class RefShown:
    """A ref and the object that it comes to; `peeled` is what a tag object points to, where that was asked for."""

    name: str
    oid: ObjectId
    peeled: ObjectId | None


@dataclass(frozen=True, slots=True)
class RefsShown:
    """Refs by name."""

    refs: tuple[RefShown, ...]
    digits: int = field(metadata=HIDDEN)
    names: bool = field(metadata=HIDDEN)
    silent: bool = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        if self.silent:
            return
        for ref in self.refs:
            yield self._line(ref.oid, ref.name)
            if ref.peeled is not None:
                yield self._line(ref.peeled, ref.name + "^{}")

    def _line(self, oid: ObjectId, name: str) -> str:
        return oid.hex()[: self.digits] + (f" {name}" if self.names else "")


@click.command("show-ref", cls=Command)
@click.option("--head", "with_head", is_flag=True, help="Show HEAD too")
@click.option("--heads", "--branches", "heads", is_flag=True, help="Show branches")
@click.option("--tags", is_flag=True, help="Show tags")
@click.option("--runs", is_flag=True, help="Show runs")
@click.option("--values", is_flag=True, help="Show named values")
@click.option("--verify", is_flag=True, help="Take each PATTERN for the full name of a ref, which must be there")
@click.option("-s", "--hash", "bare", is_flag=True, help="Print the names of objects alone")
@click.option("--abbrev", type=click.IntRange(4, 64), metavar="N", help="Print N digits of them")
@click.option("-d", "--dereference", is_flag=True, help="Show what tag objects point to too, behind NAME^{}")
@click.argument("patterns", metavar="[PATTERN]...", nargs=-1)
@pass_context
def command(
    cx: CommandContext,
    with_head: bool,
    heads: bool,
    tags: bool,
    runs: bool,
    values: bool,
    verify: bool,
    bare: bool,
    abbrev: int | None,
    dereference: bool,
    patterns: tuple[str, ...],
) -> int:
    """Show refs and the objects that they name (plumbing)

    One a line, by name.  A PATTERN is the end of a name, from a slash on: `main` is refs/heads/main and refs/tags/main.
    Exits with 1 where nothing matches; -q prints nothing.

    \b
    Example:
      gv show-ref --heads
      gv show-ref --verify --hash refs/heads/main
    """
    from gvstore.cli.plumbing import NO

    if verify and not patterns:
        raise UsageFault("--verify needs the full name of a ref", hint="As in: gv show-ref --verify refs/heads/main")
    prefixes = {"refs/heads/": heads, "refs/tags/": tags, "refs/runs/": runs, "refs/values/": values}
    wanted = tuple(prefix for prefix, asked in prefixes.items() if asked) or ("refs/",)
    found = _verified(cx, patterns) if verify else _matching(cx, patterns, wanted, with_head=with_head)
    shown = tuple(RefShown(name, oid, _peeled(cx, oid) if dereference else None) for name, oid in found)
    cx.output.result(RefsShown(shown, abbrev or 64, not bare, cx.quiet))
    return 0 if shown else NO


def _verified(cx: CommandContext, names: tuple[str, ...]) -> list[tuple[str, ObjectId]]:
    """Returns these refs.

    Raises:
        RefMissing: one is not there.
    """
    from gvstore.refs.fault import RefMissing

    found = []
    for name in names:
        oid = cx.repository.refs.resolve(name) if name.startswith("refs/") or name in ("HEAD", "RUN") else None
        if oid is None:
            raise RefMissing(name)
        found.append((name, oid))
    return found


def _matching(
    cx: CommandContext, patterns: tuple[str, ...], wanted: tuple[str, ...], *, with_head: bool
) -> Iterator[tuple[str, ObjectId]]:
    from gvstore.cli.plumbing import matching
    from gvstore.refs.value import value_oid

    refs = cx.repository.refs
    if with_head and (head := refs.resolve("HEAD")) is not None:
        yield "HEAD", head
    listed = {name: value for name, value in refs.list().items() if name.startswith(wanted)}
    for name in matching(listed, patterns):
        oid = value_oid(listed[name]) or refs.resolve(name)
        if oid is not None:
            yield name, oid


def _peeled(cx: CommandContext, oid: ObjectId) -> ObjectId | None:
    """Returns what a tag object leads to at last, None of another object."""
    from gvstore.objects.kind import Kind
    from gvstore.objects.tag import Tag

    objects = cx.repository.objects
    found = None
    for _ in range(20):
        if not objects.has(oid) or objects.read(oid)[0] != Kind.TAG:
            break
        found = oid = Tag.get(objects, oid).target
    return found
