"""gv merge: joins another line of commits with this one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.cli.unfinished import (
    ConflictTold,
    conflict_lines,
    conflicts_told,
    moved_told,
    recipe_of,
    warn_missing,
)
from gvstore.errors import UsageFault
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.journal.repository import Repository
    from gvstore.repo.landing import Landed
    from gvstore.repo.merge import MergeOptions


@dataclass(frozen=True, slots=True)
class MergeDone:
    """What a merge came to; `commit` is where HEAD is now, `before` where it was."""

    outcome: str
    rev: str
    branch: str | None
    before: ObjectId | None
    commit: ObjectId | None
    written: tuple[str, ...]
    deleted: tuple[str, ...]
    conflicts: tuple[ConflictTold, ...]
    subject: str = field(metadata=HIDDEN)
    moved: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        place = paint("ref", self.branch) if self.branch else paint("head", "detached HEAD")
        at = paint("oid", self.commit.hex()[:8]) if self.commit is not None else ""
        match self.outcome:
            case "up to date":
                yield "already up to date"
            case "fast-forward":
                old = f"{paint('oid', self.before.hex()[:8])} → " if self.before is not None else ""
                yield f"{place} {old}{at}, fast-forward{self.moved}"
            case "merged":
                yield f"[{place} {at}] {self.subject}{self.moved}"
            case "stopped":
                yield f"merged {self.rev}, not committed yet{self.moved}"
            case "aborted":
                yield f"the merge of {self.rev} is taken back, HEAD is at {at}{self.moved}"
            case _:
                yield f"merging {self.rev} into {place}: {units.count(len(self.conflicts), 'conflict')} to decide{self.moved}"
                yield from conflict_lines(self.conflicts, paint)


@click.command("merge", cls=Command)
@click.argument("revs", metavar="[REV]", nargs=-1)
@click.option("-m", "--message", "messages", metavar="TEXT", multiple=True, help="Say why; a further one is a paragraph of its own (can be repeated)")  # fmt: skip
@click.option("--ff-only", is_flag=True, help="Only move the branch forward, or stop")
@click.option("--no-ff", is_flag=True, help="Make a merge commit even where the branch could just move forward")
@click.option("--squash", is_flag=True, help="Bring the files alone: the commit to come has one parent")
@click.option("--no-commit", is_flag=True, help="Stop before the commit")
@click.option("-X", "--strategy-option", "favour", metavar="SIDE", type=click.Choice(["ours", "theirs"]), help="Take the lines of SIDE, ours or theirs, where both changed them")  # fmt: skip
@click.option("--diff3", is_flag=True, help="Show in conflicts what the lines were before both changed them")
@click.option("--allow-unrelated-histories", "unrelated", is_flag=True, help="Merge lines without a commit in common")
@click.option("--continue", "continuing", is_flag=True, help="Conclude a merge whose conflicts are decided")
@click.option("--abort", is_flag=True, help="Take an unfinished merge back")
@click.option("--allow-conflicts", is_flag=True, help="With --continue: take conflicts that are left as they are")
@click.option("--no-edit", is_flag=True, hidden=True, help="A habit of git's: what it does anyway")
@pass_context
def command(
    cx: CommandContext,
    revs: tuple[str, ...],
    messages: tuple[str, ...],
    ff_only: bool,
    no_ff: bool,
    squash: bool,
    no_commit: bool,
    favour: str | None,
    diff3: bool,
    unrelated: bool,
    continuing: bool,
    abort: bool,
    allow_conflicts: bool,
    no_edit: bool,
) -> int:
    """Join another line of commits with this one

    What both changed in the same lines is a conflict: both versions stand in the file between markers, `gv status`
    lists them, and `gv commit` or `gv merge --continue` concludes the merge when they are decided.  --continue commits
    the files that the merge touched, `gv commit` the whole work tree.  Unsaved edits in files that the merge must touch
    stop it before it begins; in others they stay.

    \b
    Example:
      gv merge experiment
    """
    from gvstore.compare.merge3 import Favour
    from gvstore.repo.merge import FastForward, MergeOptions

    if continuing or abort:
        _check(not revs and continuing != abort, "--continue and --abort stand alone")
        return _end(cx, "\n\n".join(messages), abort=abort, allow_conflicts=allow_conflicts)
    _check(bool(revs), "gv merge needs a REV")
    _check(len(revs) == 1, "one line is merged at a time: name one REV, then the next")
    _check(not (ff_only and no_ff), "--ff-only and --no-ff exclude each other")
    _check(not (squash and no_ff), "--squash makes no merge commit: --no-ff means nothing with it")
    forward = FastForward.ONLY if ff_only else FastForward.NEVER if no_ff else FastForward.AUTO
    options = MergeOptions(
        forward, not no_commit, squash, "\n\n".join(messages), Favour(favour) if favour else None, unrelated, diff3
    )
    return _merge(cx, revs[0], options)


def _check(holds: bool, why: str) -> None:
    if not holds:
        raise UsageFault(why, hint="`gv merge --help` shows how.")


def _merge(cx: CommandContext, rev: str, options: MergeOptions) -> int:
    from gvstore.journal.recovery import settle
    from gvstore.repo.merge import merge
    from gvstore.repo.resolve import Found

    repo = cx.journal
    found = repo.resolve(rev, wanted=frozenset({Found.COMMIT}))
    oid = repo.resolve_commit(rev)
    settle(repo)
    done = merge(repo, oid, found.ref, rev, options, recipe_of(cx, repo))
    return _tell(cx, repo, done.outcome.value, rev, done.before, done.landed, squash=options.squash)


def _end(cx: CommandContext, message: str, *, abort: bool, allow_conflicts: bool) -> int:
    from gvstore.journal.recovery import settle
    from gvstore.repo.conclude import abort as take_back
    from gvstore.repo.conclude import continue_merge
    from gvstore.repo.pending import Action, pending_of

    repo = cx.journal
    before, pending = repo.head, pending_of(repo)
    label = pending.label if pending is not None else ""
    if abort:
        _, landed = take_back(repo, Action.MERGE, recipe_of(cx, repo))
        return _tell(cx, repo, "aborted", label, before, landed)
    settle(repo)
    landed = continue_merge(repo, recipe_of(cx, repo), message=message, allow_conflicts=allow_conflicts)
    conflicts = bool(landed.conflicts or landed.value_conflicts)
    outcome = "conflicts" if conflicts else "merged" if landed.head != before else "stopped"
    return _tell(cx, repo, outcome, label, before, landed)


def _tell(
    cx: CommandContext,
    repo: Repository,
    outcome: str,
    rev: str,
    before: ObjectId | None,
    landed: Landed,
    *,
    squash: bool = False,
) -> int:
    from gvstore.objects.commit import Commit

    warn_missing(cx, landed)
    subject = Commit.get(repo.objects, landed.head).message.partition("\n")[0] if landed.head is not None else ""
    conflicts = conflicts_told(landed.conflicts, landed.value_conflicts) if outcome == "conflicts" else ()
    cx.output.result(
        MergeDone(
            outcome,
            rev,
            repo.branch,
            before,
            landed.head,
            landed.written,
            landed.deleted,
            conflicts,
            subject,
            moved_told(landed),
        )
    )
    if outcome == "conflicts":
        cx.output.hint("Decide them in the files, then `gv commit`; or take it back: `gv merge --abort`.")
        return 1
    if outcome == "stopped":
        cx.output.hint("`gv commit -m ...` keeps it." if squash else "`gv commit` concludes it, `gv merge --abort` takes it back.")  # fmt: skip
    return 0
