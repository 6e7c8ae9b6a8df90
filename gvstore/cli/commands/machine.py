"""gv machine: looks at state machines, draws them, and makes tests of their recorded steps."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from gvstore.cli import units
from gvstore.cli.command import CommandGroup, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import BadRev, NoRepository, UsageFault

if TYPE_CHECKING:
    from gvstore.machine.application import Application


@dataclass(frozen=True, slots=True)
class MachineChecked:
    """One machine that can run, and what was found all the same."""

    machine: str
    actions: int
    transitions: int
    entrypoint: str
    findings: tuple[str, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        told = f"{units.count(self.actions, 'action')}, {units.count(self.transitions, 'transition')}, from {self.entrypoint}"
        yield f"{paint('call', self.machine)}  {told}" + ("" if self.findings else ": nothing found")
        for number, finding in enumerate(self.findings, 1):
            yield paint("warning", f"{number:3}. {finding}")


@dataclass(frozen=True, slots=True)
class MachinesChecked:
    """Machines that can run."""

    machines: tuple[MachineChecked, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        for each in self.machines:
            yield from each.lines(paint)


@dataclass(frozen=True, slots=True)
class MachineDrawn:
    """A picture of a machine: its text, or the file that it was written to."""

    machine: str
    form: str
    path: Path | None
    text: str | None
    shown: str = field(metadata=HIDDEN, default="")

    def lines(self, paint: Paint) -> Iterator[str]:
        yield from (self.text or self.shown).splitlines()


@dataclass(frozen=True, slots=True)
class TestMade:
    """A test of a recorded step."""

    step: str
    text: str

    def lines(self, paint: Paint) -> Iterator[str]:
        yield from self.text.splitlines()


@click.group("machine", cls=CommandGroup, no_args_is_help=True)
def command() -> None:
    """Look at state machines, draw them, and make tests of their steps

    `gv run FILE.py:NAME` runs one; docs/machine.md tells how they are written.

    \b
    Example:
      gv machine check app.py
      gv machine draw app.py:application
    """


@command.command("check")
@click.argument("target")
@pass_context
def check(cx: CommandContext, target: str) -> None:
    """Load a machine and tell all that is wrong with it

    TARGET is FILE.py:NAME, where NAME holds an application or is a function without arguments that returns one; of FILE.py
    alone every machine is looked at.  The file is loaded, nothing of the machine runs.  Works outside a repository too.

    \b
    Example:
      gv machine check app.py
    """
    found = _machines(cx, target)
    cx.output.result(MachinesChecked(tuple(_checked(name, app) for name, app in found)))


@command.command("draw")
@click.option("--format", "form", type=click.Choice(["text", "mermaid", "dot", "svg"]), help="Draw it as this; text without -o")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write it to FILE: .svg, .mmd, .dot, .txt, with Graphviz .png or .pdf")
@click.option("--conditions/--no-conditions", default=True, help="Write conditions at the arrows (the default), or not")
@click.option("--state", "with_state", is_flag=True, help="Write what actions read and write into their boxes")
@click.argument("target")
@pass_context
def draw(cx: CommandContext, form: str | None, output: Path | None, conditions: bool, with_state: bool, target: str) -> None:
    """Draw a machine

    TARGET is FILE.py:NAME.  Works outside a repository too.

    \b
    Example:
      gv machine draw app.py:application
      gv machine draw app.py:application -o graph.svg
    """
    found = _machines(cx, target)
    if len(found) > 1:
        names = ", ".join(name for name, _ in found)
        raise UsageFault(f"{target} holds {len(found)} machines: {names}", hint=f"As in `gv machine draw {found[0][0]}`.")
    name, app = found[0]
    path = None if output is None else cx.folder / output
    options: dict[str, Any] = {"format": _SUFFIX[form]} if form and path else {}
    drawing = app.visualize(path, include_conditions=conditions, include_state=with_state, **options)
    if drawing.path is None:
        cx.output.result(MachineDrawn(name, form or "text", None, drawing.source(form or "text")))
    else:
        cx.output.result(MachineDrawn(name, drawing.path.suffix[1:], drawing.path, None, f"{name} is drawn in {cx.shown(drawing.path)}"))


_SUFFIX = {"text": "txt", "mermaid": "mmd", "dot": "dot", "svg": "svg"}


@command.command("test-case")
@click.argument("rev")
@pass_context
def make_test(cx: CommandContext, rev: str) -> None:
    """Print a pytest file that repeats a recorded step

    REV is a step of a machine's run, run/5:3.  The test gives the action what it was given then, and asks for what it
    answered and wrote then.

    \b
    Example:
      gv machine test-case run/5:3 > test_answer.py
    """
    from gvstore.cli.machine_maker import is_machine
    from gvstore.cli.machine_view import is_step, machine_of
    from gvstore.cli.subject import open_subject
    from gvstore.journal.target import import_name, load_component
    from gvstore.machine.step_case import case_text
    from gvstore.machine.steps import step_of

    repo = cx.journal
    with repo:
        subject = open_subject(repo, rev)
        if not is_step(subject.call) or subject.call is None or subject.part:
            raise BadRev(f"{rev} is no step of a state machine", hint="`gv show RUN` lists the steps of a machine's run: run/5:3.")
        machine, count = machine_of(subject)
        component = machine.call.component
        load_component(component, repo.root)
        module, _, holder = component.name.rpartition(".")
        path = repo.root.joinpath(*module.split("."))
        file = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
        module = import_name(file.relative_to(repo.root), repo.root) if file.is_file() else module
        held = getattr(sys.modules.get(module), holder, None)
        if held is None or not (is_machine(held) or callable(held)):
            raise BadRev(f"{component.name} is not there any more, which {rev} is a step of", hint=f"`gv checkout {subject.name.partition(':')[0]}` brings its code back.")
        made = f"Made by `gv machine test-case {subject.name}`."
        cx.output.result(TestMade(subject.name, case_text(machine, step_of(subject.call, count - 1), module, holder, made)))


def _machines(cx: CommandContext, target: str) -> list[tuple[str, Application[Any]]]:
    """Returns (how to type it, machine) of those that a target names.

    Raises:
        BadTarget: there is none.
        UsageFault: one cannot be built; all that was found is told.
        TargetRaised: the program raised while it was loaded.
    """
    from gvstore.cli.execution import program_speaks
    from gvstore.cli.machine_maker import is_machine, made_machine, makes_machine, needed_of
    from gvstore.journal.fault import BadTarget
    from gvstore.journal.target import load_place, load_target
    from gvstore.machine.application_fault import MachineWarning
    from gvstore.machine.node import node_of

    root = _root(cx)
    with program_speaks(cx), warnings.catch_warnings():
        warnings.simplefilter("ignore", MachineWarning)  # what was found is told in any case, and once
        if ":" not in target and target.endswith(".py"):
            module, _ = load_place(target, root=root, folder=cx.folder)
            found = [(f"{target}:{key}", getattr(module, key)) for key in _machines_in(module)]
            if not found:
                raise BadTarget(f"{target} holds no state machine", hint="It is a variable that holds `ApplicationBuilder()....build()`.")
            return [(name, each if is_machine(each) else made_machine(each, name)) for name, each in found]
        loaded = load_target(target, root=root, folder=cx.folder)
        if is_machine(loaded.subject):
            return [(loaded.text, loaded.subject)]
        is_action = node_of(loaded.subject) is not None
        if not is_action and (makes_machine(loaded.subject) or (inspect.isroutine(loaded.subject) and not needed_of(loaded.subject))):
            return [(loaded.text, made_machine(loaded.subject, loaded.text))]
        place = target.rpartition(":")[0]
        names = [f"{place}:{each}" for each in _machines_in(load_place(place, root=root, folder=cx.folder)[0])]
        raise BadTarget(
            f"{target} is an action, no state machine" if is_action else f"{target} is no state machine",
            hint=f"Did you mean {' or '.join(names[:4])}?" if names else "Name a variable that holds an application, or a function that returns one.",
        )


def _machines_in(module: ModuleType) -> list[str]:
    """Returns the names of a module's machines, then those of its functions that make one without being given anything."""
    from gvstore.cli.machine_maker import is_machine, makes_machine, needed_of

    own = [(key, each) for key, each in vars(module).items() if not key.startswith("_")]
    made = [key for key, each in own if makes_machine(each) and each.__module__ == module.__name__ and not needed_of(each)]
    return [key for key, each in own if is_machine(each)] + made


def _root(cx: CommandContext) -> Path:
    try:
        return cx.journal.root
    except NoRepository:
        return cx.folder


def _checked(name: str, app: Application[Any]) -> MachineChecked:
    graph = app.graph
    return MachineChecked(name, len(graph.actions), len(graph.transitions), app.entrypoint, tuple(map(str, app.findings)))
