"""gv cherry-pick: of commits, makes on HEAD what they changed; of a call, puts its outcome into another run, and replays that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.errors import BadRev, UsageFault
from gvstore.repo.resolve import Found

if TYPE_CHECKING:
    from gvstore.cli.subject import RunOf, Subject
    from gvstore.journal.address import CallPath
    from gvstore.journal.invocation import Invocation
    from gvstore.journal.mode import ReplayWords
    from gvstore.journal.repository import Repository
    from gvstore.repo.pending import PickWords


@dataclass(frozen=True, slots=True)
class SameAlready:
    """The call ended there as it did here: no run was made."""

    run: str
    path: str
    up_to_date: bool

    def lines(self, paint: Paint) -> Iterator[str]:
        yield f"{paint('run', f'{self.run}:{self.path}')}  ended the same already, nothing to do"


@click.command("cherry-pick", cls=Command)
@click.option("--into", metavar="RUN[:CALL]", help="The run, and the call of it, where the outcome goes")
@click.option("--effects", is_flag=True, help='Execute calls with effect="once" again where the record cannot answer')
@click.option(
    "--plan", "only_plan", is_flag=True, help="Say what would be reused and what would run, and why; run nothing"
)
@click.option("-m", "--message", metavar="WHY", default="", help="Say why, in place of the commit's message or of which call was picked")  # fmt: skip
@click.option("--mainline", metavar="N", type=click.IntRange(min=1), help="Of a merge: take what it brought to its Nth parent")  # fmt: skip
@click.option("-n", "--no-commit", is_flag=True, help="Change the files and commit nothing")
@click.option("-x", "name_source", is_flag=True, help="Say in the message which commit it came from")
@click.option("-X", "--strategy-option", "favour", metavar="SIDE", type=click.Choice(["ours", "theirs"]), help="Take the lines of SIDE, ours or theirs, where both changed them")  # fmt: skip
@click.option("--allow-empty", is_flag=True, help="Make commits also of what changes nothing here")
@click.option("--continue", "continuing", is_flag=True, help="Go on when the conflicts are decided")
@click.option("--skip", is_flag=True, help="Leave out the commit that has conflicts and go on")
@click.option("--abort", is_flag=True, help="Take an unfinished cherry-pick back")
@click.option("--allow-conflicts", is_flag=True, help="With --continue: take conflicts that are left as they are")
@click.argument("revs", metavar="[COMMIT | A..B | RUN:CALL]...", nargs=-1)
@pass_context
def command(cx: CommandContext, into: str | None, effects: bool, only_plan: bool, message: str, revs: tuple[str, ...],
            mainline: int | None, no_commit: bool, name_source: bool, favour: str | None, allow_empty: bool,
            continuing: bool, skip: bool, abort: bool, allow_conflicts: bool) -> int:  # fmt: skip
    """Pick commits onto HEAD, or a call's outcome into another run

    Commits: what each changed is done once more on HEAD, with its message and author.  A conflict stops it; --continue
    goes on.  What changes nothing here is left out.

    A call, with --into: what it returned or raised, with all that it called, takes the place of the same call of the
    other run: the same component, asked the same.  A CALL named there may have been asked something else.  Then the other
    run is replayed: the calls above run again, and what depends on the outcome with them; all else is answered from its
    record.  The result is a new run.  A value that no run has is put in with `gv replay --set`.

    \b
    Example:
      gv cherry-pick main~3..main
      gv cherry-pick run/3:0.2 --into run/5
      gv cherry-pick run/3:llm.chat.1 --into run/5:0.4 --plan
    """
    from gvstore.cli.picking import PickEnd, end_pick
    from gvstore.repo.pending import Action, PickWords

    end = PickEnd(continuing, skip, abort, allow_conflicts)
    if end.wanted:
        end.check(revs, "cherry-pick")
        return end_pick(cx, Action.CHERRY_PICK, end)
    if not revs:
        raise UsageFault("gv cherry-pick needs a COMMIT, or a RUN:CALL", hint="`gv cherry-pick --help` shows how.")
    if into is None and _are_commits(cx.journal, revs):
        words = PickWords(mainline or 0, no_commit, name_source, allow_empty, favour or "")
        return _pick_commits(cx, revs, words, message)
    if len(revs) > 1:
        raise UsageFault("one call is picked at a time", hint=f"As in: gv cherry-pick {revs[0]} --into run/5")
    return _pick_call(cx, revs[0], into, message, effects=effects, only_plan=only_plan)


def _are_commits(repo: Repository, revs: tuple[str, ...]) -> bool:
    """Returns whether the first of them is a commit, or a range of them."""
    from gvstore.repo.rev_range import is_range_word

    if is_range_word(revs[0]) and ":" not in revs[0]:
        return True
    return repo.resolve(revs[0], wanted=frozenset({Found.COMMIT})).found in (Found.COMMIT, Found.OBJECT)


def _pick_commits(cx: CommandContext, revs: tuple[str, ...], words: PickWords, message: str) -> int:
    from gvstore.cli.picking import commits_of, pick_commits
    from gvstore.repo.pending import Action

    commits = commits_of(cx.journal, revs, newest_first=False)
    if message and len(commits) > 1:
        raise UsageFault("-m gives a message to one commit, and these are several", hint="Leave -m out.")
    return pick_commits(cx, Action.CHERRY_PICK, commits, words, message)


def _pick_call(
    cx: CommandContext, rev: str, into: str | None, message: str, *, effects: bool, only_plan: bool
) -> int:
    from gvstore.cli.execution import program_speaks
    from gvstore.cli.loading import load_recorded
    from gvstore.cli.planned import planned
    from gvstore.cli.subject import open_subject, run_name
    from gvstore.journal.address import format_path
    from gvstore.journal.pick import place_for

    repo = cx.journal
    with repo:
        donor = open_subject(repo, rev)
        call = _call_of(donor)
        if into is None:
            raise UsageFault("--into does not say where it goes", hint=f"As in: gv cherry-pick {rev} --into run/5")
        target = open_subject(repo, into)
        run = repo.settled(_run_of(target, into))
        record = repo.record_of(run)
        path = place_for(record, call, run_name(run), donor.path, target.path if target.call is not None else None)
        there = _call_at(run, path)
        if there is not None and there.call.outcome == call.call.outcome and there.call.children == call.call.children:
            cx.output.result(SameAlready(run_name(run), format_path(path), True))
            return 0
        with program_speaks(cx):
            load_recorded(cx, repo, run, {})
        words: ReplayWords = {"pick": {path: call}, "effects": effects}
        if only_plan:
            cx.output.result(planned(run_name(run), run.plan(**words), run.store))
            return 0
        return _replay(cx, repo, run, words, message or f"picked {donor.name} for call {format_path(path)}")


def _call_of(subject: Subject) -> Invocation:
    if subject.call is not None and subject.run is not None and not subject.part:
        return subject.call
    what = "a part of a call" if subject.part else f"a {subject.found.value}"
    hint = "Name one as in run/3:0.2; `gv show RUN` prints their numbers."
    if subject.found is Found.COMMIT:
        hint = f"`gv checkout {subject.resolved.text} -- FILE...` takes files of another commit."
    raise BadRev(f"{subject.name} is {what}, and a call was asked for", hint=hint)


def _run_of(subject: Subject, rev: str) -> RunOf:
    if subject.run is None or subject.part:
        what = "a part of a call" if subject.part else f"a {subject.found.value}"
        raise BadRev(f"{rev} is {what}, and a run was asked for", hint="As in --into run/5, or --into run/5:0.4.")
    return subject.run


def _call_at(run: RunOf, path: CallPath) -> Invocation | None:
    """Returns the run's own call at a path, or None where only the record has it that the run was made from."""
    call = run.invocation
    for index in path:
        if index >= len(call):
            return None
        call = call.get_child(index)
    return call


def _replay(cx: CommandContext, repo: Repository, run: RunOf, words: ReplayWords, message: str) -> int:
    from gvstore.cli.execution import answer, program_speaks, telling
    from gvstore.cli.planned import plan_line
    from gvstore.journal.running import RunOptions

    plan = run.plan(**words)
    for why in plan.reasons:
        cx.output.status(f"stale: {why}")
    cx.output.status(plan_line(plan))
    options = RunOptions(
        target=run.record.target, message=message, group=run.record.group, argv=("gv", *cx.arguments),
        parent=run.oid, move_run=True, command="cherry-pick", on_call=telling(cx, repo.store),
    )  # fmt: skip
    with program_speaks(cx):
        performed = repo.perform_replay(run, options=options, words=words)
    return answer(cx, performed, replayed=True)
