"""Loads the pipeline that a run is of, as it is now, told what the run was told: for replays, answers and checks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gvstore.errors import BadRev
from gvstore.pipeline.program import Program, load_program

if TYPE_CHECKING:
    from gvstore.cli.context import CommandContext
    from gvstore.cli.subject import RunOf
    from gvstore.journal.repository import Repository


class PipelineGone(BadRev):
    """The file of a recorded pipeline is not there any more."""


def load_recorded_pipeline(cx: CommandContext, repo: Repository, run: RunOf) -> Program:
    """Returns the pipeline that a run is of, its components made known.

    Raises:
        PipelineGone: there is no such file.
        PipelineFault: it cannot run any more.
    """
    path = repo.root / run.record.target
    if not path.is_file():
        name = f"run/{run.number}"
        raise PipelineGone(f"{run.record.target} is gone, which {name} is a run of", hint=f"`gv checkout {name} -- {run.record.target}` brings it back.")
    args = run.invocation.args
    return load_program(_shown(path, cx.folder), root=repo.root, settings=args["settings"], provider=args["provider"])


def restore_run(cx: CommandContext, repo: Repository, run: RunOf) -> None:
    """Brings back the files that the steps of a finished run wrote, where they are missing or differ, and says so."""
    from gvstore.pipeline.restore import restore_program

    program = load_recorded_pipeline(cx, repo, run)
    changed = restore_program(program, run.invocation)
    if changed:
        count = len(changed)
        cx.output.status(f"{count} file{'s'[: count != 1]} of {_shown(program.output, cx.folder)} brought back")


def _shown(path: Path, folder: Path) -> Path:
    """Returns the path as messages show it: from the folder that the command works in, where it lies below that."""
    return path.relative_to(folder) if path.is_relative_to(folder) else path
