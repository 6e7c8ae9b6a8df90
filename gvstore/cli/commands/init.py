"""gv init: makes a repository."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint


@dataclass(frozen=True, slots=True)
class Initialized:
    """A repository that is there now; `created` is false where it was there before."""

    path: Path
    gv: Path
    branch: str | None
    created: bool
    shown: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        yield f"{'Initialized empty' if self.created else 'Found existing'} gv repository in {self.shown}"


@click.command("init", cls=Command)
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("-b", "--branch", metavar="NAME", help="Name the first branch; else init.branch says, or main")
@pass_context
def command(cx: CommandContext, folder: Path, branch: str | None) -> None:
    """Make a repository

    It lies in FOLDER/.gv, and everything gv keeps lies there.  A repository that is there already is left as it is.
    GV_DIR puts the .gv folder elsewhere.

    \b
    Example:
      gv init
    """
    from gvstore.repo import Repository
    from gvstore.repo.layout import FORMAT, GV_FOLDER, REFS

    elsewhere = cx.variable("GV_DIR")
    place = Path(elsewhere) if elsewhere else folder / GV_FOLDER
    healed = not (place / FORMAT).is_file() and (place / REFS).is_file()
    created = not healed and not (place / FORMAT).is_file()
    with Repository.init(folder, gv_dir=elsewhere or None, branch=branch) as repository:
        if healed:
            cx.output.warning("its file `format` was missing and is written again; `gv fsck` tells whether all is there")
        cx.output.result(
            Initialized(repository.path, repository.gv, repository.branch, created, cx.shown(repository.gv))
        )
