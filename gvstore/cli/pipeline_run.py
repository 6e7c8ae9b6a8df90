"""`gv run x.yml` and `gv pipeline run`: a line a step while it goes on, then the run.

    task_plan      ran      0.8 s   First, gather the wood.
    enhanced_plan  reused           A plan in three parts:
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gvstore import fs, host
from gvstore.cli import units
from gvstore.cli.style import Paint
from gvstore.cli.value_text import text_line
from gvstore.errors import UsageFault
from gvstore.journal.running import RunOptions
from gvstore.pipeline.conduct import Conduct, Ended, conducted
from gvstore.pipeline.find import find_pipeline
from gvstore.pipeline.perform import Wish, perform_pipeline, prepare
from gvstore.pipeline.program import Program, load_program
from gvstore.pipeline.prompt import text_of

if TYPE_CHECKING:
    from gvstore.cli.context import CommandContext
    from gvstore.journal.perform import Performed
    from gvstore.journal.repository import Repository

_ROLES = {"ran": "good", "reused": "quiet", "skipped": "quiet", "failed": "bad", "waiting": "changed", "not run": "quiet"}
_PLANNED = {"reuse": "quiet", "run": "changed", "ask": "changed", "given": "quiet", "skip": "quiet"}
_WIDEST = 24
MOST_INPUT = 64_000_000  # bytes of a file that answers a question


class Progress:
    """Tells on stderr how each step ended, and what models say while somebody watches."""

    def __init__(self, cx: CommandContext, program: Program) -> None:
        self._cx, self._lock = cx, threading.Lock()
        self._width = min(_widest(program), _WIDEST)
        self._speaking = ""

    def began(self, step: str) -> None:
        """Says so on a terminal."""
        if self._cx.output.is_watched:
            with self._lock:
                self._break()
                self._cx.output.status(self._cx.output.status_paint("quiet", f"{step.ljust(self._width)}  ..."))

    def said(self, step: str, piece: str) -> None:
        """Writes what a model says as it comes."""
        with self._lock:
            if self._speaking != step:
                self._break()
                self._speaking = step
            self._cx.output.spoken(piece)

    def ended(self, ended: Ended) -> None:
        """Writes the step's line."""
        with self._lock:
            self._break()
            self._cx.output.status(ended_line(ended, self._width, self._cx.output.status_paint))

    def _break(self) -> None:
        if self._speaking:
            sys.stderr.write("\n")
            self._speaking = ""


def _widest(program: Program) -> int:
    """Returns how long the longest name of a step is; those of pipelines that steps run have the step's before them."""
    return max(len(step.name) + (1 + _widest(program.nested[step.name]) if step.name in program.nested else 0) for step in program.pipeline.steps)


def ended_line(ended: Ended, width: int, paint: Paint) -> str:
    """Returns a step's line: its name, how it ended, how long that took, the first line of its answer."""
    how = paint(_ROLES[ended.how], ended.how.ljust(7))
    took = units.duration(ended.duration_ns // 1000) if ended.how == "ran" and not host.frozen() else ""
    about = ended.why if ended.how in ("skipped", "failed", "waiting", "not run") else first_line(ended.value)
    line = f"{ended.step.ljust(width)}  {how}  {took.rjust(6)}  {text_line(about, max(paint.width - width - 19, 20))}"
    return line.rstrip()


def first_line(value: object) -> str:
    """Returns the first line of a result that says something."""
    text = "" if value is None else text_of(value)
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def load(cx: CommandContext, repo: Repository, typed: str, settings: tuple[str, ...], provider: str) -> Program:
    """Returns the pipeline that was typed, ready to run; what is to be told of it is told.

    Raises:
        NoPipeline, PipelineFault, BadSetting: it cannot run.
    """
    program = load_program(find_pipeline(Path(typed)), root=repo.root, settings=settings, provider=provider)
    for fault in program.pipeline.warnings:
        cx.output.warning(str(fault).replace("warning: ", "", 1))
    return program


def inputs_of(cx: CommandContext, words: tuple[str, ...]) -> dict[str, list[str]]:
    """Returns what `--input NAME=VALUE|@FILE` says, by name; one that is repeated has several answers.

    Raises:
        UsageFault: it is not NAME=VALUE, or there is no such file.
    """
    found: dict[str, list[str]] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise UsageFault(f"--input {word!r:.80} is not NAME=VALUE", hint="As in: --input request='a plan', --input request=@request.txt")
        if value.startswith("@"):
            value = _file_text(cx.folder / value[1:], name)
        found.setdefault(name.strip(), []).append(value)
    return found


def _file_text(path: Path, name: str) -> str:
    try:
        return fs.read_bytes(path, limit=MOST_INPUT).decode().removesuffix("\n")
    except OSError as e:
        raise UsageFault(f"--input {name}: cannot read {path.name}: {e.strerror or e}", hint="Give the path of a text file behind the @.") from e
    except UnicodeDecodeError as e:
        raise UsageFault(f"--input {name}: {path.name} is no UTF-8") from e


@dataclass(frozen=True, slots=True)
class StepRow:
    """What becomes of a step: run, reuse, skip, ask or given; `unsure`: it is reused if what it waits for answers as before."""

    step: str
    module: str
    action: str
    why: str
    unsure: bool
    model: str
    tokens: int


@dataclass(frozen=True, slots=True)
class PipelinePlan:
    """What a run would do; `tokens` is about what it takes."""

    pipeline: str
    steps: tuple[StepRow, ...]
    tokens: int

    def lines(self, paint: Paint) -> Iterator[str]:
        width = min(max(len(each.step) for each in self.steps), _WIDEST)
        for each in self.steps:
            word = paint(_PLANNED[each.action], (each.action + "?"[: each.unsure]).ljust(5))
            about = [f"if {each.why.partition(' ')[0]} answers otherwise" if each.unsure else each.why] if each.why else []
            about += [f"~{units.count(each.tokens, 'token')}"] if each.tokens else []
            yield f"{each.step.ljust(width)}  {word}  {', '.join(about)}".rstrip()
        counts = Counter("perhaps" if each.unsure else each.action for each in self.steps)
        told = ", ".join(f"{action} {counts[action]:,}" for action in (*_PLANNED, "perhaps") if counts[action])
        yield told + (f" (~{units.count(self.tokens, 'token')})" if self.tokens else "")


def plan_run(cx: CommandContext, typed: str, wish: Wish, *, settings: tuple[str, ...] = (), provider: str = "") -> None:
    """Writes what a run would do."""
    from gvstore.cli.execution import program_speaks
    from gvstore.cli.loading import loading
    from gvstore.pipeline.plan import plan_pipeline

    repo = cx.journal
    with repo:
        with program_speaks(cx), loading(cx, typed):
            program = load(cx, repo, typed, settings, provider)
        found = plan_pipeline(repo, program, wish)
        steps = tuple(StepRow(each.step, each.module, each.action, each.why, each.unsure, each.model, each.tokens) for each in found)
        cx.output.result(PipelinePlan(program.target, steps, sum(each.tokens for each in steps)))


def run_pipeline(
    cx: CommandContext, typed: str, wish: Wish, *, settings: tuple[str, ...] = (), provider: str = "", jobs: int = 1,
    keep_going: bool = False, interactive: bool = False, message: str = "", group: str = "", install: bool = False,
) -> int:  # fmt: skip
    """Runs a pipeline and writes what came of it; returns the status to end with."""
    from gvstore.cli.asking import terminal_asker
    from gvstore.cli.execution import answer, program_speaks
    from gvstore.cli.loading import loading

    repo = cx.journal
    with repo:
        with program_speaks(cx):
            with loading(cx, typed):
                program = load(cx, repo, typed, settings, provider)
            prepared = prepare(repo, program, wish)
            options = RunOptions(message=message, group=group, argv=("gv", *cx.arguments), move_run=not group)
            asker = terminal_asker(cx) if interactive or sys.stdin.isatty() else None
            streams = cx.output.is_watched and jobs == 1
            with conducted(Conduct(jobs, keep_going, Progress(cx, program), streams, install)):
                performed = perform_pipeline(repo, prepared, options, asker=asker)
            if program.pipeline.config.wandb:
                _log(cx, performed)
        return answer(cx, performed, replayed=prepared.past is not None)


def _log(cx: CommandContext, performed: Performed) -> None:
    """Tells Weights & Biases of the run; where that fails it is said, and the run has not failed for it."""
    from gvstore.pipeline.wandb_log import NotLogged, log_run

    assert performed.run is not None
    try:
        log_run(performed.run)
    except NotLogged as e:
        cx.output.warning(str(e))
        if e.hint:
            cx.output.hint(e.hint)
