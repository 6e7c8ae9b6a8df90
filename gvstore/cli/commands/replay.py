"""gv replay: runs a program again, with its record for answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.cli.subject import RunOf
    from gvstore.journal.mode import ReplayWords
    from gvstore.journal.plan import Plan
    from gvstore.journal.repository import Repository


@dataclass(frozen=True, slots=True)
class UpToDate:
    """A run that is complete and fresh: there was nothing to do, and no run was made."""

    run: str
    oid: ObjectId | None
    up_to_date: bool
    shown: str = field(metadata=HIDDEN)
    fresh: bool = field(default=True, metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        yield f"{paint('run', self.run)}  {self.shown}   complete{' and fresh' if self.fresh else ''}, nothing to do"


class _Replay(Command):
    """`--check` alone is `--check=calls`: what stands behind it is a run."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parses the words that were typed."""
        end = args.index("--") if "--" in args else len(args)
        return super().parse_args(ctx, ["--check=calls" if each == "--check" else each for each in args[:end]] + args[end:])


@click.command("replay", cls=_Replay)
@click.option("--strict", is_flag=True, help="Stop with status 1 where calls or code are not those of the record")
@click.option("--as-recorded", is_flag=True, help="Answer stale calls too")
@click.option(
    "--trust",
    metavar="PATTERN",
    multiple=True,
    help="Answer stale calls of these components all the same (can be repeated)",
)
@click.option(
    "--live",
    metavar="PATTERN",
    multiple=True,
    help="Run calls of these components whatever the record says (can be repeated)",
)
@click.option(
    "--set",
    "settings",
    metavar="CALL=VALUE",
    multiple=True,
    help="Let this call answer VALUE, read as `gv put` reads it (can be repeated)",
)
@click.option("--from", "start", metavar="CALL", help="Run this call and all that came after it")
@click.option(
    "--alias",
    "aliases",
    metavar="OLD=NEW",
    multiple=True,
    help="Take calls of the recorded component OLD for calls of NEW, which it is called today (can be repeated)",
)
@click.option("--effects", is_flag=True, help='Execute calls with effect="once" again where the record cannot answer')
@click.option("--code", metavar="REV", help="Run the code of this commit or run, not the work tree's")
@click.option(
    "--max-calls", metavar="N", type=click.IntRange(min=0), help="Stop with status 1 before one more call is executed"
)
@click.option(
    "--budget",
    metavar="N|TIME",
    help="Stop with status 1 before a call is executed when so many tokens (5000) or so much time (30s, 2m) is spent",
)
@click.option(
    "--plan", "only_plan", is_flag=True, help="Say what would be reused and what would run, and why; run nothing"
)
@click.option(
    "--check",
    metavar="[=code]",
    type=click.Choice(["calls", "code"]),
    help="For CI: fail where today's code asks what is not on record, or ends otherwise; --check=code: where anything is stale",
)
@click.option("--group", metavar="NAME", help="With --check: check the runs of this group")
@click.option("-m", "--message", metavar="WHY", default="", help="Say why")
@click.argument("revs", metavar="[REV]...", nargs=-1)
@pass_context
def command(
    cx: CommandContext, strict: bool, as_recorded: bool, trust: tuple[str, ...], live: tuple[str, ...], settings: tuple[str, ...],
    start: str | None, aliases: tuple[str, ...], effects: bool, code: str | None, max_calls: int | None, budget: str | None,
    only_plan: bool, check: str | None, group: str | None, message: str, revs: tuple[str, ...],
) -> int:  # fmt: skip
    """Run a program again, answering from its record what is unchanged

    A recorded call is answered if it ended and its code and that of every call below it are unchanged.  All else is
    executed, and so is what the record does not have.  The result is a new run; an interrupted one is carried on.

    CALL is named as behind `run/7:`, 0.2 or llm.chat.3.  PATTERN is a component's name, its last part, or a glob.  The
    calls above one that is set, or runs live, run too.  --code REV runs the code of a commit or run out of the store, in
    place of the work tree's, which is not touched.

    --check answers the calls that made no calls from the record, even if they are stale, and executes today's bodies of
    the others; it keeps no run, and takes several REVs, and ranges as run/3..run/9.

    \b
    Example:
      gv replay run/7
      gv replay run/7 --live llm.chat --plan
      gv replay run/7 --code main~1
      gv replay --check run/7 run/9
      gv replay run/7 --set 0.2='"calm"'
    """
    from gvstore.cli.budget import purse_of
    from gvstore.journal.mode import ReplayWords

    repo = cx.journal
    if check is not None:
        _only_check({
            "--strict": strict, "--as-recorded": as_recorded, "--trust": trust, "--live": live, "--set": settings, "--from": start,
            "--effects": effects, "--max-calls": max_calls is not None, "--budget": budget, "--plan": only_plan, "-m": message,
        })  # fmt: skip
        return 0 if _check(cx, repo, revs, group, check, code, _aliases(aliases)) else 1
    if len(revs) > 1 or group is not None:
        raise UsageFault(
            "one run is replayed at a time",
            hint="`gv replay --check` takes several, `gv rebase` replays several.",
        )
    words = ReplayWords(
        as_recorded=as_recorded, trust=trust, live=live, set=_settings(cx, settings), from_call=_behind_colon(start),
        effects=effects, max_calls=max_calls, budget=purse_of(budget), alias=_aliases(aliases),
    )  # fmt: skip
    return _one(cx, repo, revs[0] if revs else "RUN", code, words, message, strict=strict, only_plan=only_plan)


def _only_check(others: dict[str, Any]) -> None:
    """Asks that no option was given that a check does not take.

    Raises:
        UsageFault: one was.
    """
    given = next((name for name, value in others.items() if value), None)
    if given is not None:
        raise UsageFault(f"--check and {given} do not go together", hint="A check takes runs, --group, --code and --alias.")


def _check(
    cx: CommandContext, repo: Repository, revs: tuple[str, ...], group: str | None, kind: str, code: str | None,
    alias: dict[str, str],
) -> bool:  # fmt: skip
    from gvstore.cli.checked import check_runs
    from gvstore.cli.selection import selected_runs

    with repo:
        if cx.bundle is not None and not revs and group is None:  # a bundle is what is to be checked: all of it
            revs = tuple(f"run/{row.number}" for row in reversed(repo.refs.runs()))
        return check_runs(cx, repo, selected_runs(repo, revs, group), kind, code, alias)


def _one(
    cx: CommandContext, repo: Repository, rev: str, code: str | None, words: ReplayWords, message: str, *,
    strict: bool, only_plan: bool,
) -> int:  # fmt: skip
    """Plans a replay, and carries it out unless only the plan is wanted or nothing is to be done; returns the status to end with."""
    from gvstore.cli.execution import program_speaks
    from gvstore.cli.loading import load_recorded
    from gvstore.cli.stored_code import running_code
    from gvstore.cli.subject import named_run

    with repo, running_code(cx, repo, code):
        run = repo.settled(named_run(repo, rev))
        with program_speaks(cx):
            load_recorded(cx, repo, run, words["alias"])
        plan = run.plan(strict=strict, **words)
        if only_plan:
            from gvstore.cli.planned import planned
            from gvstore.cli.subject import run_name

            cx.output.result(planned(run_name(run), plan, run.store))
        elif plan.complete:
            if run.invocation.component.flavor == "pipeline":
                from gvstore.cli.pipeline_load import restore_run

                restore_run(cx, repo, run)
            _nothing_to_do(cx, repo, run, plan)
        else:
            return _replay(cx, repo, run, plan, words, message, strict=strict)
        return 0


def _aliases(aliases: tuple[str, ...]) -> dict[str, str]:
    """Returns the names of today, by recorded name.

    Raises:
        UsageFault: it is not OLD=NEW, or OLD is given twice.
    """
    found: dict[str, str] = {}
    for text in aliases:
        old, has_new, new = text.partition("=")
        if not has_new or not old or not new:
            raise UsageFault(f"{text!r} is not OLD=NEW", hint="As in: --alias agent.revise=edit.revise")
        if found.setdefault(old, new) != new:
            raise UsageFault(f"{old} cannot be {found[old]} and {new}", hint="Give one alias for each recorded component.")
    return found


def _settings(cx: CommandContext, settings: tuple[str, ...]) -> dict[str | tuple[int, ...], Any]:
    """Returns the calls that are set, and to what.

    Raises:
        UsageFault: it is not CALL=VALUE.
    """
    from gvstore.journal.arguments import read_word

    found: dict[str | tuple[int, ...], Any] = {}
    for text in settings:
        call, has_value, value = text.partition("=")
        if not has_value or not call:
            raise UsageFault(f"{text!r} is not CALL=VALUE", hint="As in: --set 0.2='\"calm\"'")
        found[_behind_colon(call) or ""] = read_word(value, cx.folder)
    return found


def _behind_colon(call: str | None) -> str | None:
    """Returns a call without the run that may stand before it."""
    return None if call is None else call.rpartition(":")[2]


def _nothing_to_do(cx: CommandContext, repo: Repository, run: RunOf, plan: Plan) -> None:
    from gvstore.cli.call_line import call_line
    from gvstore.cli.style import PLAIN
    from gvstore.cli.subject import run_name

    name = run_name(run)
    for why in plan.reasons:
        cx.output.status(f"stale, and answered as recorded: {why}")
    for why in plan.trusted:
        cx.output.status(f"stale, and trusted: {why}")
    cx.output.result(UpToDate(name, run.oid, True, call_line(run.invocation, PLAIN, names=False, width=72), not (plan.reasons or plan.trusted)))
    if not cx.json:
        cx.output.hint(f"`gv rewind {name}` takes calls back, `--live COMPONENT` runs its calls anew.")


def _replay(
    cx: CommandContext, repo: Repository, run: RunOf, plan: Plan, words: ReplayWords, message: str, *, strict: bool
) -> int:
    from gvstore.cli.execution import answer, program_speaks, telling
    from gvstore.cli.planned import plan_line
    from gvstore.journal.running import RunOptions

    recorded = words.get("as_recorded")
    for why in plan.reasons:
        runs = not recorded or why == plan.calls[0].reason  # the root call is executed whatever its code is
        cx.output.status(f"{'stale' if runs else 'stale, and answered as recorded'}: {why}")
    for why in plan.trusted:
        cx.output.status(f"stale, and trusted: {why}")
    if not strict:
        cx.output.status(plan_line(plan))
    options = RunOptions(
        target=run.record.target, message=message, group=run.record.group, argv=("gv", *cx.arguments),
        parent=run.oid, move_run=not strict, command="replay", on_call=telling(cx, repo.store),
    )  # fmt: skip
    insists = "calls" if strict and recorded else "code" if strict else False
    with program_speaks(cx):
        performed = repo.perform_replay(run, strict=insists, options=options, words=words)
    if strict and performed.error is None and performed.run is not None:
        with repo.transaction(f"replay {run.record.target}") as transaction:
            transaction.set_run(performed.run.number)  # one that left the record does not get in the way
    return answer(cx, performed, replayed=True)
