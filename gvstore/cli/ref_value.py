"""The value of a ref as people read it: `4be1902c first rolls`, `run/7`, `main`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gvstore.cli.style import Paint
from gvstore.errors import GvError
from gvstore.objects.oid import short
from gvstore.refs.names import short_name
from gvstore.refs.value import value_oid, value_run, value_target

if TYPE_CHECKING:
    from gvstore.repo import Repository


def described(repo: Repository, value: str) -> str:
    """Returns what a ref's textual value names; with the subject of a commit, "nothing" for an empty one."""
    target, number, oid = value_target(value), value_run(value), value_oid(value)
    if target is not None:
        return short_name(target)
    if number is not None:
        return f"run/{number}"
    if oid is None:
        return "nothing"
    from gvstore.objects.commit import Commit
    from gvstore.objects.kind import Kind

    try:
        if repo.objects.read(oid)[0] == Kind.COMMIT:
            return f"{short(oid)} {Commit.get(repo.objects, oid).message.partition(chr(10))[0]}"
    except GvError:
        return f"{short(oid)} (not here any more)"
    return short(oid)


def move_line(name: str, old: str, new: str, paint: Paint) -> str:
    """Returns a line that tells where a ref moved; `old` and `new` are described values."""
    shown = paint("run" if name.startswith("run/") else "ref", name)
    if old == "nothing":
        return f"  {shown}  {paint('added', 'made')} at {new}"
    if new == "nothing":
        return f"  {shown}  {paint('removed', 'removed')}, was {old}"
    return f"  {shown}  {old} → {new}"
