"""gv completion: what makes the shell complete commands, revs, runs and calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault

_NEXT = {
    "bash": 'New shells with the bash-completion package load it; else put `eval "$(gv completion bash)"` into ~/.bashrc.',
    "zsh": "Put `fpath+=({folder})` before `compinit` into ~/.zshrc, then start a new shell.",
    "fish": "New shells load it.",
}


@dataclass(frozen=True, slots=True)
class Script:
    """The script of a shell."""

    shell: str
    script: str

    def lines(self, paint: Paint) -> Iterator[str]:
        yield self.script


@dataclass(frozen=True, slots=True)
class ScriptWritten:
    """The file that the script of a shell was written to, and what is left to do."""

    shell: str
    path: str
    next: str
    shown: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        yield self.shown


@click.command("completion", cls=Command)
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(["bash", "zsh", "fish"]))
@click.option("--install", is_flag=True, help="Write the script where the shell looks for it, and say where that is")
@pass_context
def command(cx: CommandContext, shell: str, install: bool) -> None:
    """Complete commands, revs, runs and calls in the shell

    Prints a script for bash, zsh or fish.  With it Tab completes commands, options and what they take: branches, runs (the newest
    first), calls (run/7: and Tab), components (main::), files of a commit (main:), settings.

    \b
    Example:
      eval "$(gv completion bash)"
      gv completion fish --install
    """
    from importlib.resources import files

    script = (files("gvstore.cli") / "shell" / f"gv.{shell}").read_text(encoding="utf-8")
    if not install:
        cx.output.result(Script(shell, script.rstrip("\n")))
        return
    path = _place(cx, shell)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script, encoding="utf-8")
    except OSError as e:
        raise UsageFault(f"{path} cannot be written: {e.strerror}", hint=f"gv completion {shell} > FILE") from e
    following = _NEXT[shell].replace("{folder}", cx.shown(path.parent))
    cx.output.result(ScriptWritten(shell, str(path), following, cx.shown(path)))
    cx.output.status(following)


def _place(cx: CommandContext, shell: str) -> Path:
    """Returns the file where the shell, or its package of completions, looks for what completes gv."""
    data = Path(cx.variable("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    config = Path(cx.variable("XDG_CONFIG_HOME") or Path.home() / ".config")
    return {
        "bash": data / "bash-completion" / "completions" / "gv",
        "zsh": data / "zsh" / "site-functions" / "_gv",
        "fish": config / "fish" / "completions" / "gv.fish",
    }[shell]
