"""Loads the user's program, for run and replay, and tells what is wrong with it before anything is executed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gvstore import fs
from gvstore.cli import units
from gvstore.cli.subject import run_name
from gvstore.code.module import SOURCES
from gvstore.journal.alias import check_gone
from gvstore.journal.fault import NoSuchComponent
from gvstore.journal.maker import make_again
from gvstore.journal.register import OBJECTS, find_registered
from gvstore.journal.running import RunningRun
from gvstore.journal.target import load_component, load_file
from gvstore.repo.files import read_files

if TYPE_CHECKING:
    from gvstore.cli.context import CommandContext
    from gvstore.cli.subject import RunOf
    from gvstore.journal.repository import Repository
    from gvstore.objects.component import Component


@contextlib.contextmanager
def loading(cx: CommandContext, name: str) -> Iterator[None]:
    """Warns if what the block loads records runs: a program that does so makes them again whenever it is loaded."""
    before = RunningRun.begun
    yield
    made = RunningRun.begun - before
    if made:
        cx.output.warning(
            f"loading {name} recorded {units.count(made, 'run')}: put those calls under "
            '`if __name__ == "__main__":`, or they are made whenever it is loaded'
        )


def load_recorded(cx: CommandContext, repo: Repository, run: RunOf, alias: Mapping[str, str]) -> None:
    """Loads what defined the run's root component, as it is now; under another name if it has an alias.

    Raises:
        NoSuchComponent: its file or function is gone, or it is not registered; says which, and what brings it back.
        TargetRaised: the program raised while it was loaded.
        InvocationError: it has an alias and is still there.
    """
    component = run.invocation.component
    if component.flavor == "pipeline":
        from gvstore.cli.pipeline_load import load_recorded_pipeline

        load_recorded_pipeline(cx, repo, run)
        return
    renamed = component.name in alias
    component = replace(component, name=alias.get(component.name, component.name))
    kept = {} if run.record.code is None else read_files(repo.objects, run.record.code)
    path = _defining_file(run, tuple(kept))
    if renamed:
        check_gone(run.invocation.component.name, _standing(repo, path))
    with loading(cx, path or component.name):
        if not renamed and path and Path(path).is_absolute() and Path(path).is_file():
            load_file(Path(path), repo.root)
        else:
            load_component(component, repo.root)
        if component.flavor in OBJECTS:
            make_again(component, repo.root, run.record.target)
    try:
        find_registered(component.name, repo.root, component)
    except NoSuchComponent as e:
        if renamed:
            raise
        raise _missing(repo, run, path, path in kept) from e


def _defining_file(run: RunOf, kept: tuple[str, ...]) -> str:
    """Returns the file that the run's root component was defined in: below the work tree, absolute elsewhere, or "" if not known."""
    named = run.record.target.rpartition(":")[0]
    if named.endswith(".py"):
        return named
    parts = run.invocation.component.name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        base = "/".join(parts[:end])
        for path in (f"{base}.py", f"{base}/__init__.py"):
            if path in kept:
                return path
    return ""


def _standing(repo: Repository, path: str) -> set[str]:
    """Returns the names of the components in a file of the work tree, which is read and not loaded."""
    from gvstore.code.discover import discover

    try:
        return set(discover(path, fs.read_bytes(repo.root / path)).named()) if path else set()
    except OSError:
        return set()


def _elsewhere(repo: Repository, recorded: Component) -> tuple[str, str] | None:
    """Returns what to say of the component of the work tree that has the code of a recorded one, and its name."""
    from gvstore.code.discover import discover_project
    from gvstore.journal.alias import standing_in
    from gvstore.journal.component import stored_component

    sources = []
    for path in repo.worktree.look().files:
        if path.endswith(".py"):
            with contextlib.suppress(OSError):
                sources.append((path, fs.read_bytes(repo.path / path)))
    found = discover_project(sources, repo.facts).components
    return standing_in(recorded, [stored_component(each.identity) for each in found])


def _missing(repo: Repository, run: RunOf, path: str, kept: bool) -> NoSuchComponent:
    """Returns what to say of a root component that is not there after loading."""
    name = run.invocation.component.name
    function = run.record.target.rpartition(":")[2] if ":" in run.record.target else name.rpartition(".")[2]
    dotted = name.removesuffix(f".{function}")
    module = sys.modules.get(dotted) or sys.modules.get(dotted.removeprefix(f"{SOURCES}."))
    plain = callable(getattr(module, function, None))
    if plain:
        return NoSuchComponent(
            f"{name} is not registered, and only what is can be replayed",
            hint="Write @gv.register above it, and replay again.",
        )
    if repo.code is not None:
        return NoSuchComponent(
            f"the code of {repo.code.name} has no {name}, which {run_name(run)} is a run of",
            hint=f"`--code {run_name(run)}` runs the code that the run used.",
        )
    left = next((note for note in run.record.notes if note.startswith(f"{path} holds ")), "")
    if path and (found := _elsewhere(repo, run.invocation.component)) is not None:
        told, new = found
        return NoSuchComponent(
            f"{name} is gone; {told}",
            hint=f"`gv replay --alias {name}={new} {run_name(run)}` replays it under that name.",
        )
    if kept:
        back = f"`gv checkout {run_name(run)} -- {path}` brings back the file that it used."
    else:
        back = f"{run_name(run)} kept no copy of it: {left or 'it lies outside the repository'}."
    if not path:
        return NoSuchComponent(
            f"{name} is in no file of this repository",
            hint=f"A script elsewhere recorded {run_name(run)}: replay it there, "
            f"with `repo.runs[{run.number}].replay()`.",
        )
    if not (repo.path / path).is_file():
        return NoSuchComponent(f"{path} is gone, in which {name} was defined", hint=back)
    return NoSuchComponent(f"{path} defines no {function} any more", hint=back)
