"""gv bisect: the commit, or the call of a run, from which on something is otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
    from gvstore.cli.file_diff import ChangedFile
    from gvstore.cli.testing import Tested
    from gvstore.code.component_diff import ComponentChange
    from gvstore.journal.invocation import Invocation
    from gvstore.journal.repository import Repository

_HABITS = {"start", "good", "bad", "skip", "reset", "log", "new", "old", "terms", "next", "view", "visualize"}


@dataclass(frozen=True, slots=True)
class Test:
    """One commit that was tested: good, bad or skip, and why; the run that it made, if any."""

    commit: ObjectId
    verdict: str
    why: str
    run: str | None
    git: str | None


@dataclass(frozen=True, slots=True)
class FirstBad:
    """The first bad commit; where skipped ones leave it open, null, and `left` the commits that it may be.

    `components` are those that it changed, and how.
    """

    first_bad: ObjectId | None
    git: str | None
    message: str | None
    left: list[ObjectId]
    tests: list[Test]
    components: tuple[ComponentChange, ...]
    files: tuple[ChangedFile, ...] = field(metadata=HIDDEN)
    names: tuple[str, ...] = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        tests = units.count(sum(test.verdict != "skip" for test in self.tests), "test")
        if tests == "0 tests":
            yield f"none of the {len(self.left) - 1} commits between good and bad could be tested"
            yield from (paint("quiet", f"  {why}") for why in dict.fromkeys(test.why for test in self.tests[:1]))
            return
        if self.first_bad is None:
            yield f"one of these is the first bad commit; those before the last cannot be tested   {tests}"
            yield from (paint("oid", name) for name in self.names)
            return
        from gvstore.cli.component_lines import component_lines
        from gvstore.cli.diff_stat import stat_lines

        yield f"{paint('oid', self.names[0])}  {self.message}   the first bad commit, {tests}"
        yield from component_lines(self.components, paint, indent=" ")
        yield from stat_lines(self.files, paint)


@dataclass(frozen=True, slots=True)
class FirstCall:
    """The first call of which a predicate says what it says of the last: `became`, after `before` was otherwise."""

    run: str
    predicate: str
    path: str
    component: str
    became: bool
    before: str
    skipped: int
    tests: int
    call: Invocation = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        from gvstore.cli.call_line import call_line

        width = max(paint.width - len(self.path) - 2, 40)
        yield f"{paint('run', self.path or 'root')}  {call_line(self.call, paint, width=width)}"
        tests = units.count(self.tests, "call")
        yield f"from here on {self.predicate} is {self.became}   {tests} looked at"
        if self.skipped:
            yield f"of the {units.count(self.skipped, 'call')} between {self.before or 'root'} and this it says nothing"


@click.command("bisect", cls=Command)
@click.option("--good", metavar="REV", multiple=True, help="A commit that is good (can be repeated)")
@click.option("--bad", metavar="REV", help="A commit that is bad; HEAD without it")
@click.option("--git", "of_git", is_flag=True, help="Search git's commits: good and bad are its revs")
@click.option("--expect", metavar="VALUE", help="Good is where the output is VALUE, read as `gv put` reads it")
@click.option("--predicate", metavar="FILE.py:FUNCTION", help="Good is where this function of the work tree says True")
@click.option("--calls", is_flag=True, help="Search the calls of the run in place of commits")
@click.option("--only", metavar="PATTERN", multiple=True, help="Look at calls of these components alone (can be repeated)")
@click.argument("words", metavar="[GOOD..BAD] RUN | run -- COMMAND...", nargs=-1)
@pass_context
def command(
    cx: CommandContext, good: tuple[str, ...], bad: str | None, of_git: bool, expect: str | None, predicate: str | None,
    calls: bool, only: tuple[str, ...], words: tuple[str, ...],
) -> int:  # fmt: skip
    """Find the commit, or the call of a run, from which on something is bad

    Commits between a good and a bad one are halved until one is left; GOOD..BAD says both.  The work tree and HEAD stay.

    With a RUN, each commit's code runs with the inputs of that run, in a private copy; unchanged calls are answered from
    its record.  Good is where the output is the recorded one, or VALUE, or where the function, called with the output,
    says True.  A commit whose code does not load is skipped.  The runs are kept, in the group bisect.

    With `run -- COMMAND...`, the command runs in a copy of the commit's files: status 0 is good, 125 cannot be tested, up
    to 127 bad.  Files that it names and that are in no commit are laid beside them.

    With --calls, the calls of RUN are searched in the order in which they ended: the function is called with each call
    (call.output, call.args, call.name) and says True, False, or None for calls it cannot judge; the first after which it
    says otherwise is told.

    With --git the commits are those of the git repository that the work tree lies in, which is only read.

    \b
    Example:
      gv bisect --good v1 run/3
      gv bisect --good main~20 --bad main run -- python -m pytest -q
      gv bisect --git v1.0..main run/3
      gv bisect run/3 --calls --only chat --predicate check.py:is_polite
    """
    behind = list(cx.arguments[cx.arguments.index("--") + 1 :]) if "--" in cx.arguments else []
    good, bad, before = _range_word(good, bad, list(words[: len(words) - len(behind)]))
    has_command = bool(behind) or before[:1] == ["run"]
    cmd = behind or before[1:]
    if has_command and behind and before not in ([], ["run"]):
        raise UsageFault("a command and a run are too much", hint="Give one of them: `gv bisect --help`.")
    if has_command and not cmd:
        raise UsageFault("no command is given", hint="As in: gv bisect --good v1 run -- python test.py")
    repo = cx.journal
    with repo:
        if has_command:
            _refuse("a command says itself what is good", expect=expect, predicate=predicate, calls=calls, only=only)
            return _with_command(cx, repo, _ends(repo, good, bad, git=of_git), cmd)
        rev = _run_word(before)
        if calls:
            _refuse("the calls of a run are searched, not commits", good=good, bad=bad, git=of_git, expect=expect)
            return _calls(cx, repo, rev, predicate, only)
        _refuse("commits are searched, not calls", only=only)
        return _with_run(cx, repo, _ends(repo, good, bad, git=of_git), rev, expect, predicate)


def _range_word(good: tuple[str, ...], bad: str | None, words: list[str]) -> tuple[tuple[str, ...], str | None, list[str]]:
    """Returns good commits, the bad one and the other words, where the first word is GOOD..BAD.

    Raises:
        UsageFault: the ends are said twice.
    """
    first, dots, last = words[0].partition("..") if words else ("", "", "")
    if not dots or not first or first.startswith("run/"):
        return good, bad, words
    if good or bad is not None:
        raise UsageFault(f"{words[0]} and --{'good' if good else 'bad'} say the same", hint="Give one of them.")
    return (first,), last or None, words[1:]


def _refuse(why: str, **options: object) -> None:
    for name, given in options.items():
        if given:
            raise UsageFault(f"--{name} does not go with this: {why}", hint="See `gv bisect --help`.")


def _run_word(words: list[str]) -> str:
    if not words:
        raise UsageFault(
            "nothing is given to test with", hint="Give a run, or a command: `gv bisect --good v1 run -- python test.py`."
        )
    if words[0] in _HABITS:
        raise UsageFault(
            f"there is no bisect {words[0]}: one command does it all",
            hint="As in: gv bisect --good v1 --bad HEAD run -- python test.py",
        )
    if len(words) > 1:
        raise UsageFault(f"one run is tested with, and these are {len(words)}", hint="A command stands behind `run --`.")
    return words[0]


def _with_command(cx: CommandContext, repo: Repository, ends: _Ends, words: list[str]) -> int:
    from gvstore.cli.testing import CommandTest

    test = CommandTest(cx, repo, words)
    for path in test.brought(ends.bad):
        cx.output.status(f"{path} is not in {ends.name(repo, ends.bad)}: that of the work tree is laid beside it")
    hint = "The command runs in a copy of the commit's files."
    return _search(cx, repo, ends, test, hint)


def _with_run(
    cx: CommandContext, repo: Repository, ends: _Ends, rev: str, expect: str | None, predicate: str | None
) -> int:
    from gvstore.cli.subject import named_run, run_name
    from gvstore.cli.testing import RunTest, load_predicate
    from gvstore.compare.values import same_value
    from gvstore.journal.arguments import read_word

    if expect is not None and predicate is not None:
        raise UsageFault("--expect and --predicate are two answers to one question", hint="Give one of them.")
    run = repo.settled(named_run(repo, rev))
    judge: Callable[[object, str], bool | None] | None = None
    if predicate is not None:
        asked = load_predicate(cx, repo, predicate)
        judge = lambda output, about: asked.ask(cx, output, about)  # noqa: E731
    elif expect is not None:
        wanted = read_word(expect, cx.folder)
        judge = lambda output, about: same_value(output, wanted)  # noqa: E731
    hint = "" if judge else f"Good is where the output is that of {run_name(run)}: --expect VALUE or --predicate say otherwise."
    return _search(cx, repo, ends, RunTest(cx, repo, run, judge, ends.git), hint)


@dataclass(frozen=True, slots=True)
class _Ends:
    """Between which commits is searched; `git` tells how git calls them, where they are its."""

    good: tuple[ObjectId, ...]
    bad: ObjectId
    git: Mapping[ObjectId, str] = field(default_factory=dict)

    def name(self, repo: Repository, oid: ObjectId) -> str:
        """Returns how a commit is called in messages."""
        return self.git[oid][:8] if oid in self.git else repo.resolver().shortest(oid)


def _ends(repo: Repository, good: tuple[str, ...], bad: str | None, *, git: bool) -> _Ends:
    if not good:
        raise UsageFault("no good commit is given", hint="Name one from before it broke: --good main~20.")
    if git:
        from gvstore.repo.git_history import mirrored

        found = mirrored(repo, good, bad or "HEAD")
        return _Ends(found.good, found.bad, found.names)
    return _Ends(tuple(repo.resolve_commit(rev) for rev in good), repo.resolve_commit(bad or "HEAD"))


def _search(cx: CommandContext, repo: Repository, ends: _Ends, test: Callable[[ObjectId, str], Tested], hint: str) -> int:
    """Halves the commits between the ends until one is left, and writes which."""
    from gvstore.objects.commit import Commit
    from gvstore.repo.bisect import BadEnds, CommitSearch

    search = CommitSearch(repo.objects, ends.good, ends.bad, ends.git)
    tests: list[Test] = []
    while (oid := search.next()) is not None:
        subject = Commit.get(repo.objects, oid).message.partition("\n")[0]
        left = f"{units.count(search.suspects, 'commit')} left, about {units.count(max(1, search.steps), 'step')}"
        cx.output.status(f"testing {ends.name(repo, oid)}  {subject}   {left}")
        said = test(oid, ends.name(repo, oid))
        tests.append(Test(oid, said.verdict.value, said.why, said.run, ends.git.get(oid)))
        cx.output.status(f"  {said.verdict.value}: {f'{said.run}  ' if said.run else ''}{said.why}")
        try:
            search.mark(oid, said.verdict)
        except BadEnds as e:
            e.hint = " ".join(filter(None, (e.hint, hint)))
            raise
    found = search.found
    commit = None if found is None else Commit.get(repo.objects, found)
    cx.output.result(
        FirstBad(
            first_bad=found, git=None if found is None else ends.git.get(found), message=None if commit is None else commit.message.partition("\n")[0],
            left=search.left, tests=tests, components=() if found is None else _components(repo, found),
            files=() if found is None else _files(repo, found),
            names=tuple(ends.name(repo, oid) for oid in search.left),
        )
    )
    return 0 if found is not None else 1


def _components(repo: Repository, oid: ObjectId) -> tuple[ComponentChange, ...]:
    """Returns the components that a commit changed."""
    from gvstore.journal.components import CodeSide, component_changes
    from gvstore.objects.commit import Commit

    parents = Commit.get(repo.objects, oid).parents
    # Read, where the commits are git's: these hold no components.
    trees = [Commit.get(repo.objects, each) for each in (*parents[:1], oid)]
    sides = [CodeSide(repo, each.tree, each.components or None) for each in trees]
    return component_changes(sides[0] if parents else CodeSide(repo, None), sides[-1])


def _files(repo: Repository, oid: ObjectId) -> tuple[ChangedFile, ...]:
    """Returns the files that a commit changed."""
    from gvstore.cli.shown_commit import CommitShower
    from gvstore.objects.commit import Commit

    return CommitShower(repo).changes(Commit.get(repo.objects, oid))


def _calls(cx: CommandContext, repo: Repository, rev: str, predicate: str | None, only: tuple[str, ...]) -> int:
    from gvstore.cli.subject import named_run, run_name
    from gvstore.cli.testing import load_predicate
    from gvstore.journal.address import format_path
    from gvstore.journal.bisect import ended_calls, find_flip
    from gvstore.journal.mode import check_patterns, matches

    if predicate is None:
        raise UsageFault(
            "no predicate is given", hint="As in: gv bisect run/3 --calls --predicate check.py:ok, where ok(call) says True or False."
        )
    run = named_run(repo, rev)
    root = run.invocation
    check_patterns(only, root)
    asked = load_predicate(cx, repo, predicate)
    calls = ended_calls(root, lambda name: not only or any(matches(name, pattern) for pattern in only))
    looked_at = 0

    def test(at: int) -> bool | None:
        nonlocal looked_at
        looked_at += 1
        path, call = calls[at]
        where = f"{run_name(run)}:{format_path(path)}"
        answer = asked.ask(cx, call, f"call {where}")
        cx.output.status(f"{where}  {call.name}: {'nothing' if answer is None else answer}")
        return answer

    flip = find_flip(len(calls), test)
    path, call = calls[flip.first]
    cx.output.result(
        FirstCall(
            run=run_name(run), predicate=asked.text, path=format_path(path), component=call.component.name,
            became=flip.became, before=format_path(calls[flip.before][0]), skipped=flip.first - flip.before - 1,
            tests=looked_at, call=call,
        )
    )
    return 0
