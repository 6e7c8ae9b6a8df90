"""gv demo: goes the whole way with a small real program, and leaves the repository to play with."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import GvError, WouldLose

_EDIT = ("ends happily", "ends at sea")


@dataclass(frozen=True, slots=True)
class Play:
    """A program, and the commands of its tour; None is the edit of the program's prompt."""

    file: str
    commands: tuple[str | None, ...]


STORY = Play(
    "story.py",
    (
        "init",
        "run story.py:write --topic otters",
        "show run/1",
        "rewind run/1:2",
        None,
        "replay",
        "diff run/1 run/3",
        "commit -m otters",
        "log --oneline",
    ),
)
DICE = Play(
    "dice.py",
    (
        "init",
        "run dice.py:roll_sum 2",
        "show run/1",
        "rewind run/1:1",
        "replay",
        "diff run/1 run/3",
        "commit -m dice",
        "log --oneline",
    ),
)


class DemoStopped(GvError):
    """A command of the tour failed; what it said stands above."""

    def __init__(self, step: Step) -> None:
        self.exit_code = step.status
        super().__init__(f"the tour ends here: `{step.command}` ended with {step.status}")


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the tour, and what it printed."""

    command: str
    status: int
    stdout: str

    def lines(self, paint: Paint) -> Iterator[str]:
        yield from self.stdout.splitlines()


@dataclass(frozen=True, slots=True)
class Typed:
    """A command that is going to be run."""

    command: str

    def lines(self, paint: Paint) -> Iterator[str]:
        yield paint("title", f"$ {self.command}")


@dataclass(frozen=True, slots=True)
class Toured:
    """The whole tour; `model` is null where dice were rolled instead."""

    folder: Path
    program: str
    model: str | None
    steps: tuple[Step, ...]
    shown: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        yield ""
        yield f"It is all in {self.shown}: change {self.program}, run it again, and look around."


@click.command("demo", cls=Command)
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default="gv-demo")
@click.option("--dice", is_flag=True, help="Roll dice instead of asking the local model")
@pass_context
def command(cx: CommandContext, folder: Path, dice: bool) -> None:
    """Go the whole way with a small real program

    Writes a story writer that plans, drafts and revises with the local model, into DIR (gv-demo), runs it, rewinds it,
    changes its prompt, replays it, compares the runs, and commits.  The model's weights (98 MB) are fetched first.
    Works outside a repository.

    \b
    Example:
      gv demo
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WouldLose(f"{cx.shown(folder)} is not empty", hint="Name another folder: `gv demo DIR`.")
    play = STORY
    if dice or find_spec("xllamacpp") is None:
        play = DICE
        if not dice:
            cx.output.warning("the local model is not installed, so this rolls dice; `pip install 'gvstore[local]'`")
    folder.mkdir(parents=True, exist_ok=True)
    source = resources.files("gvstore.cli") / "demo" / f"{play.file}.txt"
    (folder / play.file).write_text(source.read_text("utf-8"), encoding="utf-8")
    steps = tuple(_steps(cx, folder, play))
    model = "local" if play is STORY else None
    cx.output.result(Toured(folder.absolute(), play.file, model, steps, cx.shown(folder)))


def _steps(cx: CommandContext, folder: Path, play: Play) -> Iterator[Step]:
    """Yields the steps of the tour as they are done; without `--json` each is printed.

    Raises:
        DemoStopped: a command failed.
    """
    commands = list(play.commands)
    if play is STORY and not _weights_are_here(cx):
        commands.insert(1, "model pull")
    for words in commands:
        typed = f"gv {words}" if words else f"sed -i.bak 's/{_EDIT[0]}/{_EDIT[1]}/' {play.file}"
        if not cx.json:
            cx.output.result(Typed(typed))
        step = _gv(cx, folder, words) if words else _edit(folder / play.file, typed)
        if not cx.json:
            cx.output.result(step)
        if step.status:
            raise DemoStopped(step)
        yield step


def _weights_are_here(cx: CommandContext) -> bool:
    from gvstore.models import weights

    return bool(cx.variable("GV_MODEL_PATH")) or weights.find() is not None


def _edit(program: Path, typed: str) -> Step:
    """Changes the prompt of the revision, as the user would in an editor."""
    program.write_text(program.read_text("utf-8").replace(*_EDIT), encoding="utf-8")
    return Step(typed, 0, "")


def _gv(cx: CommandContext, folder: Path, words: str) -> Step:
    """Runs `gv WORDS`; what it says on stderr goes to ours."""
    colour = "always" if cx.output.paint.colour else "never"
    options = ["--color", colour, *(["-q"] if cx.quiet or cx.json else [])]
    command = [sys.executable, "-m", "gvstore", *options, *words.split()]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, encoding="utf-8", check=False)
    return Step(f"gv {words}", done.returncode, done.stdout)
