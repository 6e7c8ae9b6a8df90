"""gv pipeline: YAML pipelines of model calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from gvstore.cli.command import Command, CommandGroup, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint


@dataclass(frozen=True, slots=True)
class Checked:
    """A pipeline that can run: its steps, in the order in which they run."""

    pipeline: str
    steps: tuple[str, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        count = len(self.steps)
        yield f"{self.pipeline}  {count} step{'s'[: count != 1]}, no fault"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A pipeline as a picture."""

    form: str
    text: str

    def lines(self, paint: Paint) -> Iterator[str]:
        yield from self.text.rstrip("\n").split("\n")


@click.group("pipeline", cls=CommandGroup, no_args_is_help=True)
def command() -> None:
    """Run, check and draw pipelines of model calls

    A pipeline is a YAML file with a list of steps, and prompt files beside it; a folder stands for the pipeline that its
    config.yml names.  `check` and `draw` work outside a repository too.

    \b
    Example:
      gv pipeline check plan.yml
      gv pipeline run plan.yml --input request="a plan"
    """


_FILES = [
    click.option("--set", "settings", metavar="A.B=C", multiple=True, help="Change a parameter, a key of a step or of config.yml (can be repeated)"),
    click.option("--provider", metavar="NAME", default="", help="Ask this provider whatever models are named: local, recorded:FILE, ..."),
]
_CHOICE = [
    click.option("--input", "inputs", metavar="NAME=VALUE|@FILE", multiple=True, help="Answer the question of the step NAME (can be repeated)"),
    click.option("--only", metavar="STEP", multiple=True, help="Run this step, with earlier results for what it is given (can be repeated)"),
    click.option("--from", "start", metavar="STEP", multiple=True, help="Run this step and what follows from it (can be repeated)"),
    click.option("--until", metavar="STEP", multiple=True, help="Run this step and what leads to it (can be repeated)"),
    click.option("--force", metavar="STEP", multiple=True, help="Run this step whatever the record says (can be repeated)"),
    click.option("--no-cache", is_flag=True, help="Run every step: earlier runs answer nothing"),
]


def _with(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def add(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return add


@command.command("run", cls=Command)
@_with(*_CHOICE, *_FILES)
@click.option("-j", "--jobs", metavar="N", type=click.IntRange(1, 256), default=1, help="Run so many independent steps at once")
@click.option("--keep-going", is_flag=True, help="When a step fails, run all that does not depend on it")
@click.option("--allow-install", is_flag=True, help="Install what a generated program requires, in an environment of its own")
@click.option("--interactive", is_flag=True, help="Ask questions on stdin, also where that is no terminal")
@click.option("-m", "--message", metavar="WHY", default="", help="Say why, for `gv runs`")
@click.option("--group", metavar="NAME", default="", help="Put the run into a group; RUN does not move to it")
@click.argument("file", default=".")
@pass_context
def run_command(
    cx: CommandContext, inputs: tuple[str, ...], only: tuple[str, ...], start: tuple[str, ...], until: tuple[str, ...],
    force: tuple[str, ...], no_cache: bool, settings: tuple[str, ...], provider: str, jobs: int, keep_going: bool,
    allow_install: bool, interactive: bool, message: str, group: str, file: str,
) -> int:  # fmt: skip
    """Run a pipeline; `gv run FILE.yml` is the same

    A step is answered from earlier runs of the same pipeline when its prompt, its configuration and what it is given are
    the same.  Questions are answered by --input, at the terminal, or by `gv answer` later: then the status is 21.

    \b
    Example:
      gv pipeline run plan.yml --input request="a plan"
      gv pipeline run plan.yml --provider local -j 4
    """
    from gvstore.cli.pipeline_run import inputs_of, run_pipeline
    from gvstore.pipeline.perform import Wish

    wish = Wish(inputs_of(cx, inputs), only, start, until, force, cache=not no_cache)
    return run_pipeline(
        cx, file, wish, settings=settings, provider=provider, jobs=jobs, keep_going=keep_going, interactive=interactive,
        message=message, group=group, install=allow_install,
    )  # fmt: skip


@command.command("plan", cls=Command)
@_with(*_CHOICE, *_FILES)
@click.argument("file", default=".")
@pass_context
def plan_command(
    cx: CommandContext, inputs: tuple[str, ...], only: tuple[str, ...], start: tuple[str, ...], until: tuple[str, ...],
    force: tuple[str, ...], no_cache: bool, settings: tuple[str, ...], provider: str, file: str,
) -> None:  # fmt: skip
    """Tell which steps a run would execute and which the record answers, and why; run nothing

    Steps behind one that runs are reused if that answers as before.  Tokens are those of the last time, or of the prompt.

    \b
    Example:
      gv pipeline plan plan.yml --input request="a plan"
    """
    from gvstore.cli.pipeline_run import inputs_of, plan_run
    from gvstore.pipeline.perform import Wish

    plan_run(cx, file, Wish(inputs_of(cx, inputs), only, start, until, force, cache=not no_cache), settings=settings, provider=provider)


@command.command("check", cls=Command)
@_with(*_FILES)
@click.argument("file", default=".")
@pass_context
def check_command(cx: CommandContext, settings: tuple[str, ...], provider: str, file: str) -> None:
    """Tell all that is wrong with a pipeline; status 2 if anything is

    \b
    Example:
      gv pipeline check plan.yml
    """
    from gvstore.pipeline.foresee import foreseen

    pipeline = _pipeline(cx, file, settings, provider)
    for each in foreseen(pipeline, provider):
        cx.output.warning(str(each).replace("warning: ", "", 1))
    cx.output.result(Checked(str(pipeline.path), pipeline.order))


@command.command("draw", cls=Command)
@_with(*_FILES)
@click.option("--format", "form", metavar="FORM", type=click.Choice(["text", "mermaid", "dot", "svg"]), default="text", help="text, mermaid, dot or svg")
@click.argument("file", default=".")
@pass_context
def draw_command(cx: CommandContext, settings: tuple[str, ...], provider: str, form: str, file: str) -> None:
    """Draw a pipeline: text, Mermaid, DOT or SVG

    \b
    Example:
      gv pipeline draw plan.yml
      gv pipeline draw --format svg plan.yml > plan.svg
    """
    from gvstore.pipeline.drawing import draw_pipeline

    cx.output.result(Drawn(form, draw_pipeline(_pipeline(cx, file, settings, provider), form)))


@dataclass(frozen=True, slots=True)
class Exported:
    """A run in another program's format."""

    run: str
    format: str
    documents: tuple[dict[str, Any], ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        indent = 1 if self.format == "memory-log" else None
        for each in self.documents:
            yield from json.dumps(each, ensure_ascii=False, indent=indent, default=str).split("\n")


@command.command("export", cls=Command)
@click.option("--format", "form", metavar="FORM", type=click.Choice(["memory-log", "jsonl"]), default="memory-log", help="memory-log or jsonl")
@click.argument("rev", metavar="[RUN]", default="RUN")
@pass_context
def export_command(cx: CommandContext, form: str, rev: str) -> None:
    """Hand out a run of a pipeline as OrchestrAI's memory log, or as chats to train a model with

    jsonl has a line for each question to a model, with its answer.

    \b
    Example:
      gv pipeline export run/7 --format jsonl > chats.jsonl
    """
    from gvstore.cli.subject import named_run, run_name
    from gvstore.pipeline.export import exported

    repo = cx.journal
    with repo:
        run = named_run(repo, rev)
        cx.output.result(Exported(run_name(run), form, tuple(exported(run, form))))


def _pipeline(cx: CommandContext, file: str, settings: tuple[str, ...], provider: str) -> Any:
    """Returns a pipeline that was looked at; warnings are told."""
    from gvstore.pipeline.check import load_pipeline
    from gvstore.pipeline.find import find_pipeline
    from gvstore.pipeline.setting import parse_setting

    pipeline = load_pipeline(find_pipeline(Path(file)), settings=[parse_setting(each) for each in settings], provider=provider)
    for fault in pipeline.warnings:
        cx.output.warning(str(fault).replace("warning: ", "", 1))
    return pipeline
