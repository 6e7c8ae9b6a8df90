"""What `gv checkout` and `gv switch` do and say: the work tree and HEAD go elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from gvstore.cli import units
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import BadRev, GvError
from gvstore.objects.oid import ObjectId


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """What the checkout did; `commit` is where HEAD is now, null before the first commit, `missing` what was forgotten.

    `gave_way` are files that held what no commit has: undo brings them back.
    """

    commit: ObjectId | None
    branch: str | None
    run: str | None
    written: tuple[str, ...]
    deleted: tuple[str, ...]
    missing: tuple[str, ...]
    made_branch: bool
    gave_way: tuple[str, ...]
    paths_only: bool = field(metadata=HIDDEN)
    subject: str = field(metadata=HIDDEN)
    reset_branch: bool = field(default=False, metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        counts = [f"{units.count(len(self.written), 'file')} written"] if self.written else []
        counts += [f"{len(self.deleted):,} deleted"] if self.deleted else []
        moved = f"   {', '.join(counts)}" if counts else ""
        if self.paths_only:
            yield f"{units.count(len(self.written), 'file')} brought back"
            return
        at = f"{paint('oid', self.commit.hex()[:8])} {self.subject}" if self.commit is not None else "no commit yet"
        if self.run is not None:
            place = f"on {paint('ref', self.branch)}" if self.branch else f"HEAD at {at}"
            yield f"the work tree has the code of {paint('run', self.run)}, {place}{moved}"
        elif self.branch is not None and self.reset_branch:
            yield f"reset branch {paint('ref', self.branch)} to {at}{moved}"
        elif self.branch is not None:
            new = "new branch" if self.made_branch else "branch"
            yield f"on {new} {paint('ref', self.branch)} at {at}{moved}"
        else:
            yield f"HEAD detached at {at}{moved}"


def check_out(
    cx: CommandContext,
    rev: str | None,
    *,
    paths: tuple[str, ...] = (),
    create: str | None = None,
    reset: bool = False,
    detach: bool = False,
    force: bool = False,
) -> None:
    """Goes there and says so; `rev` None is where HEAD is."""
    from gvstore.refs.names import branch_ref
    from gvstore.repo.fault import EditedSince, WouldOverwrite, printable
    from gvstore.repo.path import insides

    repo = cx.repository
    if rev is None and repo.head is None and create is not None:
        repo.rename_branch(repo.branch or "main", create)
        cx.output.result(CheckedOut(None, create, None, (), (), (), True, (), False, ""))
        return
    if rev in ("HEAD", "@") and repo.branch and repo.head and not (paths or create or detach):
        rev = branch_ref(repo.branch)  # as in git: HEAD stays on its branch
    left = repo.head if repo.branch is None and not paths else None
    inside = insides(repo.path, paths or None, cwd=cx.folder)
    moves = create is not None and reset and repo.refs.read(branch_ref(create)) is not None
    try:
        done = repo.checkout(rev or "HEAD", paths=inside, create=create, reset=reset, detach=detach, force=force)
    except BadRev as e:
        if rev is not None and not paths and (cx.folder / rev).exists():
            e.hint = f"For the file: `gv restore {rev}`."
        raise
    except WouldOverwrite as e:
        if not force and not isinstance(e, EditedSince):
            e.hint = "Commit them first (`gv commit -m ...`), or let them give way with -f: `gv undo` brings them back."
        raise
    if left is not None and left != done.commit and (lost := _left_behind(cx, left, done.commit)):
        cx.output.warning(f"{units.count(lost, 'commit')} left behind that no branch or tag leads to, up to {left.hex()[:8]}")
        cx.output.hint(f"To keep it: `gv branch NAME {left.hex()[:8]}`.")
    for path, told in done.missing.items():
        cx.output.warning(f"{printable(path)} {told}; it is missing here")
    if done.gave_way:
        what = "it" if len(done.gave_way) == 1 else "them"
        cx.output.status(
            f"{units.count(len(done.gave_way), 'file')} with what no commit has gave way: `gv undo` brings {what} back."
        )
    cx.output.result(
        CheckedOut(
            commit=done.commit,
            branch=done.branch,
            run=f"run/{done.run}" if done.run is not None else None,
            written=done.written,
            deleted=done.deleted,
            missing=tuple(done.missing),
            made_branch=create is not None,
            gave_way=done.gave_way,
            paths_only=bool(paths),
            subject=_subject(cx, done.commit),
            reset_branch=moves,
        )
    )


def _left_behind(cx: CommandContext, left: ObjectId, now: ObjectId | None) -> int:
    """Returns how many commits only the HEAD that was left led to."""
    from gvstore.refs.names import BRANCHES, TAGS
    from gvstore.repo.history import ancestors

    repo = cx.repository
    tips = [now] if now is not None else []
    for prefix in (BRANCHES, TAGS):
        for name in repo.refs.list(prefix):
            with suppress(GvError):  # a tag of something else
                tips.append(repo.resolve_commit(name))
    if left in tips:
        return 0
    try:
        kept = {each for tip in dict.fromkeys(tips) for each in ancestors(repo.objects, tip)}
        return sum(each not in kept for each in ancestors(repo.objects, left))
    except GvError:  # the history is damaged: what was asked for is done all the same
        return 0


def _subject(cx: CommandContext, commit: ObjectId | None) -> str:
    from gvstore.objects.commit import Commit

    return "" if commit is None else Commit.get(cx.repository.objects, commit).message.partition("\n")[0]
