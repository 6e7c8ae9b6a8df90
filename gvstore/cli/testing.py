"""What bisect tests commits and calls with: a command, recorded inputs, a function of the user's."""

from __future__ import annotations

import shutil
import subprocess
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gvstore.cli.call_line import call_line, raised_line
from gvstore.cli.execution import program_speaks
from gvstore.cli.loading import load_recorded, loading
from gvstore.cli.stored_code import running_code
from gvstore.cli.style import PLAIN
from gvstore.cli.subject import run_name
from gvstore.cli.value_text import value_line
from gvstore.compare.values import same_value
from gvstore.errors import ComponentRaised, GvError, UsageFault
from gvstore.journal.running import RunOptions
from gvstore.journal.target import load_target
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.repo.bisect import Verdict
from gvstore.repo.code_folder import lay_out
from gvstore.repo.files import read_files

if TYPE_CHECKING:
    from gvstore.cli.context import CommandContext
    from gvstore.cli.subject import RunOf
    from gvstore.journal.repository import Repository

SKIPS = 125  # git's: this commit cannot be tested
_SAYS = "It is called with one value, and says True, False, or None for what it cannot judge."
_SHOWN = 40
_STOPS = 128  # and above: a signal, or a command that gives up


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test said of a commit, and why; the run that it made, if it made one."""

    verdict: Verdict
    why: str
    run: str | None = None


Judge = Callable[[Any], bool]


class PredicateRaised(ComponentRaised):
    """A function that was to judge raised; says which, where, and about what."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """A function of the user's that says True or False of a value."""

    text: str
    function: Callable[[Any], object]

    def ask(self, cx: CommandContext, value: object, about: str) -> bool | None:
        """Returns what it says; None says nothing.

        Raises:
            PredicateRaised: it raised.
            UsageFault: what it said is no truth value.
        """
        try:
            with program_speaks(cx):
                answer = self.function(value)
        except Exception as e:
            trace = traceback.extract_tb(e.__traceback__)
            last = trace[-1]
            cx.output.status("".join(traceback.format_exception(e)).rstrip("\n"))
            raise PredicateRaised(
                f"the predicate {self.text} raised {raised_line(e)} about {about}, at {Path(last.filename).name}:{last.lineno}",
                hint=_SAYS,
            ) from e
        kind = type(answer)
        if isinstance(answer, bool) or (kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_")):
            return bool(answer)
        if answer is None:
            return None
        said = value_line(answer, _SHOWN)
        raise UsageFault(f"the predicate {self.text} said {said} about {about}, which is neither True nor False", hint=_SAYS)


def load_predicate(cx: CommandContext, repo: Repository, text: str) -> Predicate:
    """Returns the function that FILE.py:FUNCTION names, of the work tree.

    Raises:
        BadTarget: there is none; tells what is near.
        TargetRaised: its file raised while it was loaded.
    """
    with program_speaks(cx), loading(cx, text):
        target = load_target(text, root=repo.path, folder=cx.folder)
    return Predicate(target.text, target.subject)


class CommandTest:
    """Runs a command in a copy of a commit's files: 0 is good, 125 cannot be tested, up to 127 bad."""

    def __init__(self, cx: CommandContext, repo: Repository, words: Sequence[str]) -> None:
        self._cx, self._repo, self._words = cx, repo, list(words)
        if Path(words[0]).name == "gv":
            raise UsageFault(
                "gv itself is not to be run in a copy of a commit",
                hint="Give a run in place of a command: `gv bisect --good REV run/3`.",
            )
        folder = cx.folder.resolve()
        self._inner = folder.relative_to(repo.path.resolve()) if folder.is_relative_to(repo.path.resolve()) else Path()

    def brought(self, bad: ObjectId) -> list[str]:
        """Returns the files of the work tree that the command names and that are in no copy: they are laid beside it."""
        files = read_files(self._repo.objects, Commit.get(self._repo.objects, bad).tree)
        named = [Path(word) for word in self._words if word and not Path(word).is_absolute() and ".." not in Path(word).parts]
        found = [path for path in named if (self._cx.folder / path).is_file()]
        return [path.as_posix() for path in found if (self._inner / path).as_posix() not in files]

    def __call__(self, oid: ObjectId, name: str) -> Tested:
        """Returns what the command says of a commit.

        Raises:
            UsageFault: it cannot be run.
            GvError: it was killed, or gave up with a status above 127.
        """
        repo = self._repo
        tree = Commit.get(repo.objects, oid).tree
        folder = lay_out(repo.objects, repo.gv, tree)
        try:
            inner = folder.path / self._inner
            with suppress(OSError):  # where a file has its name, the command runs at the top
                inner.mkdir(parents=True, exist_ok=True)
            inner = inner if inner.is_dir() else folder.path
            for path in self.brought(oid):
                (inner / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self._cx.folder / path, inner / path)
            status = self._run(inner)
        finally:
            folder.discard()
        if status < 0 or status >= _STOPS:
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            raise TestStopped(f"{self._words[0]} {how} at {name}", hint="0 is good, 1 to 127 bad, 125 cannot be tested.")
        if status == SKIPS:
            return Tested(Verdict.SKIP, f"status {SKIPS}: cannot be tested")
        return Tested(Verdict.BAD if status else Verdict.GOOD, f"status {status}")

    def _run(self, folder: Path) -> int:
        try:
            with subprocess.Popen(
                self._words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace",
            ) as process:  # fmt: skip
                assert process.stdout is not None
                try:
                    for line in process.stdout:
                        self._cx.output.status(f"  {line.rstrip()}")
                    return process.wait()
                except BaseException:
                    process.kill()
                    raise
        except OSError as e:
            raise UsageFault(f"{self._words[0]} cannot be run: {e.strerror}", hint="Name a program after --.") from e


class TestStopped(GvError):
    """A test gave up, and the search with it."""

    exit_code = 1


class RunTest:
    """Runs the code of a commit with the inputs of a recorded run: good where its outcome is as wanted.

    `judge` says so of an output; without it the output must be the recorded
    one, or of a run that raised, there must be one.
    """

    def __init__(
        self, cx: CommandContext, repo: Repository, run: RunOf, judge: Callable[[object, str], bool | None] | None,
        git: Mapping[ObjectId, str] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        self._cx, self._repo, self._run, self._judge, self._git = cx, repo, run, judge, git

    def __call__(self, oid: ObjectId, name: str) -> Tested:
        """Returns what the run says of a commit; code that does not load, or lacks the component, cannot be tested.

        Raises:
            PredicateRaised: the judge raised.
        """
        cx, repo, run = self._cx, self._repo, self._run
        options = RunOptions(
            target=run.record.target, message=f"bisect {run_name(run)} at {name}", group="bisect",
            argv=("gv", *cx.arguments), parent=run.oid, command="bisect",
        )  # fmt: skip
        try:
            with running_code(cx, repo, f"git:{self._git[oid]}" if oid in self._git else oid.hex()):
                with program_speaks(cx):
                    load_recorded(cx, repo, run, {})
                if run.plan().complete:
                    made, error = run, None
                else:
                    with program_speaks(cx):
                        performed = repo.perform_replay(run, options=options)
                    made, error = performed.run or run, performed.error
        except GvError as e:
            first, *more = str(e).strip().splitlines() or [""]
            return Tested(Verdict.SKIP, f"cannot be tested: {': '.join([first, *more[-1:]])}")
        if isinstance(error, KeyboardInterrupt):
            raise error
        number = run_name(made) if made is not run else None
        if made.status not in ("ok", "raised"):
            return Tested(Verdict.SKIP, f"cannot be tested: it is {made.status}", number)
        return Tested(self._said(made, name), call_line(made.invocation, PLAIN, names=False, width=72), number)

    def _said(self, made: RunOf, name: str) -> Verdict:
        call, recorded = made.invocation, self._run.invocation
        if call.status != "ok":
            return Verdict.BAD
        if self._judge is not None:
            answer = self._judge(call.output, f"the output at {name}")
            return Verdict.SKIP if answer is None else Verdict.GOOD if answer else Verdict.BAD
        if recorded.status != "ok":
            return Verdict.GOOD
        same = call.call.outcome == recorded.call.outcome or same_value(call.output, recorded.output)
        return Verdict.GOOD if same else Verdict.BAD
