"""gv run: executes a function and records every call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.errors import ComponentRaised

PIPELINES = (".yml", ".yaml")
_OWN = frozenset(
    {"-m", "--message", "--group", "--interactive", "--json", "-q", "--quiet", "--color", "--no-pager", "-C"}
)


@click.command("run", cls=Command, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("-m", "--message", metavar="WHY", default="", help="Say why, for `gv runs`")
@click.option("--group", metavar="NAME", default="", help="Put the run into a group; RUN does not move to it")
@click.option(
    "--interactive", is_flag=True, help="Ask the program's questions here, instead of waiting for `gv answer`"
)
@click.argument("target")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@pass_context
def command(
    cx: CommandContext, message: str, group: str, interactive: bool, target: str, args: tuple[str, ...]
) -> int:
    """Run a function and record every call

    TARGET is FILE.py:FUNCTION or package.module:FUNCTION; COMMIT::NAME and RUN::NAME are a component as that commit or
    run has it, whose code then runs out of the store, without touching the work tree.  FILE.yml is a pipeline, with the
    options of `gv pipeline run` behind it.  What follows are its arguments, read as the function's
    annotations say: values in order, --name VALUE, name=VALUE; @FILE is the text of a file, of FILE.json its content.
    The arguments of an Invokable class are its fields.  gv's own options stand before TARGET.  What the program prints
    goes to stderr.

    Where TARGET is a state machine (an application of gvstore.machine, or a function without arguments that returns one)
    what follows says where it stops and what it is given: --until ACTION (also @tag:NAME), --until-all, --halt-before,
    --input NAME=VALUE, --state NAME=VALUE, --max-steps N, --app ID, --partition KEY, and --resume, which goes on from where
    the application's last run in this repository came to, if there is one.

    \b
    Example:
      gv run dice.py:roll_sum 2
      gv run story.py:write --topic otters
      gv run main~1::story.write otters
      gv run app.py:application --until answer --input prompt="hi"
    """
    if target.endswith(PIPELINES) or (cx.folder / target).is_dir():
        return _run_pipeline(cx, target, args, message=message, group=group, interactive=interactive)
    _run_function(cx, target, args, message=message, group=group, interactive=interactive)
    return 0


def _run_function(cx: CommandContext, target: str, args: tuple[str, ...], *, message: str, group: str, interactive: bool) -> None:
    """Runs a function or a state machine, and writes what came of it."""
    from gvstore.cli.asking import terminal_asker
    from gvstore.cli.execution import answer, program_speaks, telling
    from gvstore.cli.loading import loading
    from gvstore.cli.machine_maker import is_machine, makes_machine
    from gvstore.cli.machine_run import machine_call, told
    from gvstore.cli.stored_code import running_code
    from gvstore.journal.commit import component_names
    from gvstore.journal.fault import BadArguments
    from gvstore.journal.running import RunOptions
    from gvstore.journal.target import load_named, load_target

    repo, folder = cx.journal, cx.folder
    rev, in_store, name = target.partition("::")
    with repo, running_code(cx, repo, rev if in_store else None) as code:
        with program_speaks(cx):
            with loading(cx, target.rpartition(":")[0]):
                if code is None:
                    loaded = load_target(target, root=repo.path, folder=folder)
                else:
                    loaded = load_named(name, code.path, rev, lambda: component_names(repo.objects, code.files(repo)))
            labels: dict[str, str | int] = {}
            named: dict[str, Any] = {}
            try:
                if is_machine(loaded.subject) or makes_machine(loaded.subject):
                    subject, values, labels = machine_call(repo, loaded, args, folder)
                else:
                    subject, values, named = _call(loaded.subject, loaded.text, args, folder)
            except BadArguments as e:
                e.hint = _hint_of_own_options(target, args) or e.hint
                raise
            options = RunOptions(
                target=loaded.text, message=message, group=group, argv=("gv", *cx.arguments), move_run=not group,
                on_call=telling(cx, repo.store), labels=labels,
            )  # fmt: skip
            asker = terminal_asker(cx) if interactive else None
            performed = repo.perform(subject, values, named, options, asker=asker)
        answer(cx, told(performed) if labels else performed)


def _run_pipeline(cx: CommandContext, file: str, args: tuple[str, ...], *, message: str, group: str, interactive: bool) -> int:
    """Runs a pipeline's file, with the options of `gv pipeline run`."""
    from gvstore.cli.commands.pipeline import run_command

    words = [*(("-m", message) if message else ()), *(("--group", group) if group else ()), *(("--interactive",) if interactive else ())]
    with run_command.make_context("gv run", [*words, file, *args], obj=cx, help_option_names=["-h", "--help"]) as ctx:
        return int(run_command.invoke(ctx) or 0)


def _hint_of_own_options(target: str, words: tuple[str, ...]) -> str:
    """Returns what to type where one of gv's own options stands among the program's arguments, else nothing."""
    for word in words:
        if word == "--":
            break
        if word.partition("=")[0] in _OWN:
            return f"gv's own options stand before TARGET: `gv run {word} ... {target}`."
    return ""


def _call(
    subject: Any, target: str, words: tuple[str, ...], folder: Path
) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """Returns what is called, and with which arguments; those of an Invokable class are its fields.

    Raises:
        BadTarget: it is another class.
        BadArguments: they do not fit.
        ComponentRaised: an Invokable cannot be made of them.
    """
    from gvstore.journal.arguments import parse_arguments
    from gvstore.journal.component import LiveComponent
    from gvstore.journal.fault import BadTarget
    from gvstore.journal.invokable import InvokableBase
    from gvstore.journal.perform import live_component

    if not isinstance(subject, type):
        return subject, *parse_arguments(live_component(subject), words, folder)
    if not issubclass(subject, InvokableBase):
        raise BadTarget(
            f"{target} is a class, and no Invokable", hint="Name a function, or a subclass of gv.Invokable."
        )
    values, named = parse_arguments(LiveComponent(subject, subject, flavor="function"), words, folder)
    try:
        return subject(*values, **named), (), {}
    except Exception as e:
        raise ComponentRaised(f"{target} raised {type(e).__name__} while it was made; nothing was recorded: {e}") from e
