"""gv for-each-ref: refs in a form of the caller's."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from datetime import datetime

    from gvstore.repo import Repository

_USUAL = "%(objectname) %(objecttype)\t%(refname)"
_ATOM = re.compile(r"%\(([^()]*)\)|%(%)|%([0-9a-fA-F]{2})")
_TAGS = 20


@dataclass(frozen=True, slots=True)
class RefRow:
    """A ref with what it names; `target` is what a tag object leads to, author and time are of the commit, run or tag."""

    name: str
    oid: ObjectId
    kind: str
    target: ObjectId | None
    author: str | None
    created_at: datetime | None
    message: str
    current: bool


@dataclass(frozen=True, slots=True)
class RefRows:
    """Refs in the order that was asked for."""

    refs: tuple[RefRow, ...]
    form: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        for row in self.refs:
            yield _ATOM.sub(lambda found, row=row: _spelled(row, found), self.form)  # type: ignore[misc]


def _short(name: str) -> str:
    from gvstore.refs.names import short_name

    return short_name(name)


_ATOMS: dict[str, Callable[[RefRow], str]] = {
    "refname": lambda row: row.name,
    "refname:short": lambda row: _short(row.name),
    "objectname": lambda row: row.oid.hex(),
    "objectname:short": lambda row: row.oid.hex()[:8],
    "objecttype": lambda row: row.kind,
    "*objectname": lambda row: row.target.hex() if row.target else "",
    "subject": lambda row: row.message.partition("\n")[0],
    "contents": lambda row: row.message,
    "authorname": lambda row: (row.author or "").partition(" <")[0],
    "authoremail": lambda row: "<" + row.author.partition(" <")[2] if row.author and " <" in row.author else "",
    "creator": lambda row: row.author or "",
    "creatordate": lambda row: row.created_at.isoformat() if row.created_at else "",
    "creatordate:unix": lambda row: str(int(row.created_at.timestamp())) if row.created_at else "",
    "creatordate:short": lambda row: row.created_at.date().isoformat() if row.created_at else "",
    "HEAD": lambda row: "*" if row.current else " ",
}
_AS_GIT = {
    "authordate": "creatordate",
    "committerdate": "creatordate",
    "taggerdate": "creatordate",
    "committername": "authorname",
}


@click.command("for-each-ref", cls=Command)
@click.option(
    "--format",
    "form",
    metavar="FORM",
    default=_USUAL,
    show_default=False,
    help="Print each so, as in '%(refname:short) %(subject)'",
)
@click.option(
    "--sort",
    "sorts",
    metavar="ATOM",
    multiple=True,
    help="Sort by this atom, with - before it backwards (can be repeated)",
)
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="Print the first N only")
@click.argument("patterns", metavar="[PATTERN]...", nargs=-1)
@pass_context
def command(
    cx: CommandContext, form: str, sorts: tuple[str, ...], count: int | None, patterns: tuple[str, ...]
) -> None:
    """Print refs in a form of your own (plumbing)

    PATTERN is the beginning of a name up to a slash (refs/heads), or has stars.  Atoms of a FORM are refname, objectname and
    creatordate (also :short), *objectname, objecttype, subject, contents, authorname, authoremail, creator, HEAD; %% and %0a as in git.

    \b
    Example:
      gv for-each-ref --sort=-creatordate --count 5 --format '%(refname:short)  %(subject)' refs/heads
    """
    for found in _ATOM.finditer(form):
        if found[1] is not None:
            _atom(found[1])
    repo = cx.repository
    names = [name for name in repo.refs.list() if not patterns or any(_fits(name, each) for each in patterns)]
    head = repo.refs.head_ref()
    rows = [row for name in names if (row := _row(repo, name, current=name == head)) is not None]
    for sort in reversed(sorts):
        rows.sort(key=_atom(sort.removeprefix("-")), reverse=sort.startswith("-"))
    cx.output.result(RefRows(tuple(rows[:count]), form))


def _fits(name: str, pattern: str) -> bool:
    plain = pattern.rstrip("/")
    return name == plain or name.startswith(plain + "/") or fnmatch.fnmatchcase(name, pattern)


def _atom(name: str) -> Callable[[RefRow], str]:
    """Returns what gives an atom of a row.

    Raises:
        UsageFault: there is no such atom.
    """
    base, colon, rest = name.partition(":")
    known = _ATOMS.get(_AS_GIT.get(base, base) + colon + rest)
    if known is None:
        import difflib

        near = difflib.get_close_matches(name, _ATOMS, n=2) or list(_ATOMS)
        raise UsageFault(f"there is no atom {name[:80]!r}", hint=f"There is {', '.join(near)}.")
    return known


def _spelled(row: RefRow, found: re.Match[str]) -> str:
    if found[1] is not None:
        return _atom(found[1])(row)
    return "%" if found[2] else chr(int(found[3], 16))


def _row(repo: Repository, name: str, *, current: bool) -> RefRow | None:
    """Returns what a ref names; None for a run that is being recorded."""
    from gvstore.objects.commit import Commit
    from gvstore.objects.kind import Kind
    from gvstore.objects.run import Run
    from gvstore.objects.tag import Tag

    oid = repo.refs.resolve(name)
    if oid is None or not repo.objects.has(oid):
        return None
    at, tag = oid, None
    for _ in range(_TAGS):
        if repo.objects.read(at)[0] != Kind.TAG:
            break
        found = Tag.get(repo.objects, at)
        tag, at = tag or found, found.target
    kind = repo.objects.read(at)[0]
    about: Commit | Tag | Run | None = tag
    if about is None:
        about = (
            Commit.get(repo.objects, at)
            if kind == Kind.COMMIT
            else Run.get(repo.objects, at)
            if kind == Kind.RUN
            else None
        )
    created_at = None if about is None else about.started_at if isinstance(about, Run) else about.created_at
    return RefRow(
        name, oid, Kind(repo.objects.read(oid)[0]).word, at if at != oid else None,
        about.author if about is not None else None,
        units.moment(created_at) if created_at is not None else None,
        about.message if about is not None else "", current,
    )  # fmt: skip
