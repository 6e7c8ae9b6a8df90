"""gv rev-parse: from what a user types to names of objects, and where the repository lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from gvstore.cli.command import RevCommand, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import BadRev, UsageFault
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.repo.resolve import Resolved


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one rev names; `ref` is the full name of the ref that was typed, `run` the run that it is or lies in.

    `excluded` tells of a range that what leads here is left out of it.
    """

    rev: str
    kind: str
    oid: ObjectId
    ref: str | None
    run: str | None
    excluded: bool = False
    shown: str = field(default="", metadata=HIDDEN)


@dataclass(frozen=True, slots=True)
class AllParsed:
    """What the revs name, in their order."""

    revs: tuple[Parsed, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        return ("^" * each.excluded + paint("oid", each.shown) for each in self.revs)


@dataclass(frozen=True, slots=True)
class Names:
    """What refs are called, or where things lie: `answers` in the order in which they were asked for."""

    answers: tuple[str, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        return iter(self.answers)


@click.command("rev-parse", cls=RevCommand)
@click.argument("revs", metavar="REV...", nargs=-1)
@click.option("--short", is_flag=True, help="Print the shortest abbreviations that name nothing else")
@click.option("--verify", is_flag=True, help="Take exactly one rev; with -q end silently with status 1 if it names nothing")
@click.option("--abbrev-ref", is_flag=True, help="Print the short names of refs: of HEAD, the branch that it is on")
@click.option("--symbolic-full-name", "full_name", is_flag=True, help="Print the full names of refs")
@click.option("--show-toplevel", "toplevel", is_flag=True, help="Print the root of the work tree")
@click.option("--show-prefix", "prefix", is_flag=True, help="Print where below that root the folder lies")
@click.option("--gv-dir", "gv", is_flag=True, help="Print where the .gv folder lies")
@click.option("--is-inside-work-tree", "inside", is_flag=True, help="Print true, or end with status 10")
@pass_context
def command(
    cx: CommandContext, revs: tuple[str, ...], short: bool, verify: bool, abbrev_ref: bool, full_name: bool,
    toplevel: bool, prefix: bool, gv: bool, inside: bool,
) -> int:  # fmt: skip
    """Print the object names of revs (plumbing)

    One a line, in full; an annotated tag is its own object, v1^{commit} what it was put on.  Of a range, A..B, the name
    of B, and that of A behind ^.  A call of a run has the name of its invocation; a part of a call has none.

    \b
    Example:
      gv rev-parse main run/7:0
      gv rev-parse --verify -q topic^{commit}
      gv rev-parse --abbrev-ref HEAD
    """
    places = _places(cx, toplevel=toplevel, prefix=prefix, gv=gv, inside=inside)
    if places and not revs:
        cx.output.result(Names(tuple(places)))
        return 0
    if not revs or places:
        why = "gv rev-parse tells of places or of revs, one at a time" if revs else "gv rev-parse needs a rev"
        raise UsageFault(why, hint="As in: gv rev-parse HEAD, gv rev-parse --show-toplevel")
    try:
        if abbrev_ref or full_name:
            result: Names | AllParsed = Names(tuple(_ref_name(cx, each, full=full_name) for each in revs))
        else:
            result = AllParsed(tuple(_parsed(cx, revs, short)))
        if verify and (len(result.revs) if isinstance(result, AllParsed) else len(result.answers)) != 1:
            raise BadRev("--verify takes a single rev", hint="As in: gv rev-parse --verify main")
    except BadRev:
        if verify and cx.quiet:
            return 1
        raise
    cx.output.result(result)
    return 0


def _places(cx: CommandContext, *, toplevel: bool, prefix: bool, gv: bool, inside: bool) -> list[str]:
    """Returns the answers to questions about places, of which there may be none."""
    found = []
    if toplevel:
        found.append(str(cx.repository.path))
    if prefix:
        folder = cx.folder
        below = folder.relative_to(cx.repository.path) if folder.is_relative_to(cx.repository.path) else None
        found.append("" if below is None or not below.parts else below.as_posix() + "/")
    if gv:
        found.append(str(cx.repository.gv))
    if inside:
        found.append("true" if cx.folder.is_relative_to(cx.repository.path) else "false")
    return found


def _ref_name(cx: CommandContext, rev: str, *, full: bool) -> str:
    """Returns the name of the ref that was typed; of HEAD the branch that it is on.

    Raises:
        BadRev: it is no ref.
    """
    from gvstore.refs.names import HEAD, short_name

    repo = cx.repository
    name = repo.refs.head_ref() or HEAD if rev in (HEAD, "@") else repo.resolve(rev).ref
    if not name:
        raise BadRev(f"{rev} is no ref, but what one may stand at", hint="`gv branch` lists branches.")
    return name if full else short_name(name)


def _parsed(cx: CommandContext, revs: tuple[str, ...], short: bool) -> Iterator[Parsed]:
    """Yields what each word names, of a range all that it is made of."""
    from gvstore.repo.rev_range import NOT, is_range_word, parse_range

    shortest = cx.repository.resolver().shortest
    turned = False
    for rev in revs:
        if rev == NOT:
            turned = not turned
        elif is_range_word(rev):
            found = parse_range(cx.repository, [rev], default=None)
            for oids, excluded in ((found.starts, turned), (found.without, not turned)):
                for oid in oids:
                    yield Parsed(rev, "commit", oid, None, None, excluded, shortest(oid) if short else oid.hex())
        else:
            yield _one(cx, rev, turned, short)


def _one(cx: CommandContext, rev: str, excluded: bool, short: bool) -> Parsed:
    resolved = cx.repository.resolve(rev)
    oid = resolved.tag or resolved.oid if resolved.call is None else _call_oid(cx, resolved)
    if oid is None:
        raise BadRev(f"{rev} has no object yet: the run is still being recorded")
    return Parsed(
        rev=rev,
        kind=resolved.found.value if resolved.tag is None else "tag",
        oid=oid,
        ref=resolved.ref or None,
        run=f"run/{resolved.run}" if resolved.run is not None else None,
        excluded=excluded,
        shown=cx.repository.resolver().shortest(oid) if short else oid.hex(),
    )


def _call_oid(cx: CommandContext, resolved: Resolved) -> ObjectId:
    """Returns the name of the invocation that was named."""
    from gvstore.journal.address import find_call

    call = resolved.call
    assert call is not None
    if call.part:
        raise BadRev(f"{resolved.text} is a part of a call, and has no object", hint="`gv get` hands out its value.")
    return find_call(cx.journal.run_of(resolved).invocation, call)[1].oid
