"""gv update-ref: moves refs by compare and swap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.refs.transaction import Expected, Transaction
    from gvstore.repo import Repository

_ZERO = "0" * 64
_COMMANDS = {
    "update": (2, 3),
    "create": (2, 2),
    "delete": (1, 2),
    "verify": (1, 2),
}  # words after it: at least, at most
_STEPS = ("start", "prepare", "commit", "abort")


class NotMoved(UsageFault):
    """A ref that this command does not move, or that would name what it cannot: a branch something that is no commit."""


@dataclass(frozen=True, slots=True)
class RefsMoved:
    """The refs that were asked to move, as they are now; `oid` is null where one was deleted."""

    refs: tuple[RefNow, ...]
    said: tuple[str, ...] = field(default=(), metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        return iter(self.said)


@dataclass(frozen=True, slots=True)
class RefNow:
    """A ref and what it names."""

    name: str
    oid: ObjectId | None


@click.command("update-ref", cls=Command)
@click.option("-d", "--delete", is_flag=True, help="Delete REF; the word after it is OLD")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read changes from stdin, and make all of them or none")
@click.option("-z", "zeros", is_flag=True, help="With --stdin, the lines end with a zero byte")
@click.option("--no-deref", is_flag=True, help="Move HEAD itself, not the branch that it is on")
@click.option("-m", "why", metavar="WHY", default="", help="What the reflog says of it")
@click.argument("words", metavar="[REF NEW [OLD]]", nargs=-1)
@pass_context
def command(
    cx: CommandContext, delete: bool, from_stdin: bool, zeros: bool, no_deref: bool, why: str, words: tuple[str, ...]
) -> None:
    """Move refs, if they are what you take them for (plumbing)

    REF is a full name.  NEW and OLD are revs; zeros, or an empty word, stand for no ref.  A ref that is not OLD any more
    stays, and the status is 11.  Lines of --stdin: `update REF NEW [OLD]`, `create REF NEW`, `delete REF [OLD]`, `verify REF
    [OLD]`, and `start`, `prepare`, `commit`, `abort`.  What moved is one operation.

    \b
    Example:
      gv update-ref -m "take it over" refs/heads/main wip main
      gv update-ref -d refs/heads/wip
    """
    from gvstore.cli.plumbing import words_of_stdin

    if from_stdin and (words or delete):
        raise UsageFault("--stdin stands alone", hint="Write the changes to stdin.")
    if from_stdin:
        changes, said = _read(words_of_stdin(zeros=zeros))
    else:
        changes, said = [_of_words(words, delete=delete)], ()
    repo = cx.repository
    moved: list[str] = []
    if changes:
        with repo.transaction(_title(changes)) as transaction:
            for each in changes:
                _change(repo, transaction, moved, each, deref=not no_deref, why=why)
    cx.output.result(RefsMoved(tuple(RefNow(name, repo.refs.resolve(name)) for name in moved), said))


Change = tuple[str, str, str | None, str | None]  # command, ref, NEW and OLD as typed


def _of_words(words: tuple[str, ...], *, delete: bool) -> Change:
    least, most = (1, 2) if delete else (2, 3)
    if not least <= len(words) <= most:
        due = "REF and perhaps OLD" if delete else "REF, NEW and perhaps OLD"
        raise UsageFault(
            f"{due} are due, and {len(words)} words were given",
            hint="`gv update-ref --help` has an example.",
        )
    old = words[most - 1] if len(words) == most else None
    return ("delete", words[0], None, old) if delete else ("update", words[0], words[1], old)


def _title(changes: list[Change]) -> str:
    name, *more = changes[0][:2]
    return (
        f"update-ref {more[0]}"
        if len(changes) == 1 and name != "delete"
        else (f"update-ref -d {more[0]}" if len(changes) == 1 else f"update-ref --stdin: {len(changes)} refs")
    )


def _read(lines: Iterator[str]) -> tuple[list[Change], tuple[str, ...]]:
    """Returns the changes, and what git says to the words that begin and end transactions; `abort` takes back what stands before it.

    Raises:
        UsageFault: a line is none of them; tells which.
    """
    changes: list[Change] = []
    said = []
    for number, line in enumerate(lines, 1):
        name, *rest = _words(line, number)
        if name in _STEPS and not rest:
            said.append(f"{name}: ok")
            changes = [] if name == "abort" else changes
            continue
        least, most = _COMMANDS.get(name, (1, 0))
        if not least <= len(rest) <= most:
            raise UsageFault(
                f"line {number}: {line[:80]!r} is no change",
                hint="As in: update refs/heads/main NEW [OLD], create REF NEW, delete REF [OLD], verify REF [OLD].",
            )
        new = rest[1] if name in ("update", "create") else None
        old = _ZERO if name == "create" else rest[most - 1] if len(rest) == most else None
        changes.append((name, rest[0], new, old))
    return changes, tuple(said)


def _words(line: str, number: int) -> list[str]:
    """Returns the words of a line, split at single spaces: an empty one stands for no ref."""
    if not line.strip():
        raise UsageFault(f"line {number} is empty", hint="Each line is one change.")
    return line.split(" ")


def _change(
    repo: Repository, transaction: Transaction, moved: list[str], change: Change, *, deref: bool, why: str
) -> None:
    """Asks for one change, and notes the ref that it is to.

    Raises:
        NotMoved: the ref is not moved this way, or has been changed already.
        BadRev: NEW or OLD names nothing.
    """
    from gvstore.refs.names import HEAD, RUN, RUNS, check_ref_name
    from gvstore.refs.transaction import ANYTHING, Anything

    name, ref, new, old = change
    if not ref.startswith("refs/") and ref not in (HEAD, RUN):
        raise NotMoved(
            f"{ref} is not the full name of a ref", hint=f"A branch is refs/heads/{ref}, a tag refs/tags/{ref}."
        )
    check_ref_name(ref)
    if ref == RUN or ref.startswith(RUNS):
        raise NotMoved(
            f"{ref} is not moved by hand: runs are made by running",
            hint="`gv symbolic-ref RUN refs/runs/7` lets RUN stand on another run.",
        )
    if ref == HEAD and deref:
        ref = repo.refs.head_ref() or HEAD
    if ref in moved:
        raise NotMoved(f"{ref} is changed twice", hint="A transaction has one change for a ref.")
    moved.append(ref)
    expected: Expected = ANYTHING if old is None else _oid(repo, old)
    if name == "verify":
        transaction.verify(ref, expected=None if isinstance(expected, Anything) else expected)
        return
    oid = None if new is None else _oid(repo, new)
    if oid is not None:
        _check_kind(repo, ref, oid)
        transaction.update(ref, oid, expected=expected, message=why)
    elif ref == HEAD:
        raise NotMoved("HEAD is never deleted", hint="`gv checkout BRANCH` moves it.")
    elif expected is None:  # deleting what must not be there
        transaction.verify(ref, expected=None)
    else:
        transaction.delete(ref, expected=expected, message=why)


def _oid(repo: Repository, rev: str) -> ObjectId | None:
    """Returns the object that a rev names: of a tag object itself, not what it points to.  None for zeros and nothing."""
    if not rev.strip("0"):
        return None
    found = repo.resolve(rev)
    direct = repo.refs.resolve(found.ref) if found.ref else None
    if len(rev) == 64 and direct is None:
        return ObjectId.from_hex(rev)
    oid = direct or found.oid
    if oid is None:
        from gvstore.errors import BadRev

        raise BadRev(f"{rev} is no object", hint="`gv rev-parse` names the object of a call.")
    return oid


def _check_kind(repo: Repository, ref: str, oid: ObjectId) -> None:
    """Passes if the ref can name the object.

    Raises:
        NotMoved: it is a branch or HEAD, and this is no commit.
        ObjectMissing: there is no such object.
    """
    from gvstore.objects.kind import Kind
    from gvstore.refs.names import BRANCHES, HEAD

    kind = repo.objects.read(oid)[0]
    if (ref == HEAD or ref.startswith(BRANCHES)) and kind != Kind.COMMIT:
        raise NotMoved(
            f"{ref} cannot name {oid.hex()[:8]}: it is a {Kind(kind).word}",
            hint="A branch names a commit; tags and values name anything.",
        )
