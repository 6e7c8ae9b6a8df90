"""A pipeline ready to run: its components known, its Python functions loaded.

    program = load_program(path, root=repo.root)

Loading reads files and imports those Python files that steps name; it asks no model.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gvstore.errors import UsageFault
from gvstore.journal.component import LiveComponent
from gvstore.journal.register import forget_written, live_of, note_written, register
from gvstore.journal.target import load_file
from gvstore.journal.unaided import is_unaided
from gvstore.models.provider import resolve_model
from gvstore.pipeline.check import load_pipeline
from gvstore.pipeline.component import PIPELINE, STEP, WrittenComponent, pipeline_call, step_call
from gvstore.pipeline.function_path import FunctionPath
from gvstore.pipeline.pipeline import Pipeline
from gvstore.pipeline.project import Project
from gvstore.pipeline.setting import parse_setting
from gvstore.pipeline.source import pipeline_source, prompt_params, step_source
from gvstore.pipeline.step import Step

OUTPUT: Final = "generated_outputs"


class BadFunction(UsageFault):
    """A function of a project cannot be a module or tool."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A pipeline with all that is needed to run it.

    `name` is what its component is called, `target` how it is typed: its path from
    the root, or an absolute one.  `functions` are by `file.py:name`.
    """

    pipeline: Pipeline
    name: str
    target: str
    root: Path | None
    live: WrittenComponent
    steps: Mapping[str, WrittenComponent]
    params: Mapping[str, tuple[str, ...]]  # of each step: the parameters that its prompt files ask for
    functions: Mapping[str, Callable[..., Any]]
    nested: Mapping[str, Program] = field(default_factory=dict)  # by step
    settings: tuple[str, ...] = ()
    provider: str = ""
    unasking: frozenset[str] = frozenset()  # of the functions: those that ask no model

    @property
    def output(self) -> Path:
        """The folder for generated files, which may not be there yet."""
        return self.pipeline.root / OUTPUT / self.pipeline.config.code_folder

    @property
    def components(self) -> list[LiveComponent]:
        """Its own components and those of the pipelines that it runs."""
        return [self.live, *self.steps.values(), *(each for inner in self.nested.values() for each in inner.components)]


_known: dict[tuple[Path | None, str], list[LiveComponent]] = {}  # held here, as the register does not


def load_program(path: Path, *, root: Path | None, settings: Sequence[str] = (), provider: str = "") -> Program:
    """Returns the pipeline of a file, checked, with its components made known in place of those that it had before.

    `root` is the project's folder, from which components are named.

    Raises:
        UnknownModel: there is no such provider.
        NoPipeline, PipelineFault, BadSetting: it cannot run; every fault is told.
        BadFunction, TargetRaised: a Python file that it names cannot be loaded.
    """
    if provider:
        resolve_model("any", provider)
    pipeline = load_pipeline(path, settings=[parse_setting(each) for each in settings], provider=provider)
    program = program_of(pipeline, root=root, settings=tuple(settings), provider=provider)
    make_known(program)
    return program


def make_known(program: Program) -> None:
    """Makes a program's components those of its name."""
    key = program.root, program.name
    for each in _known.pop(key, []):
        forget_written(each)
    _known[key] = program.components
    for each in _known[key]:
        note_written(each)


def program_of(pipeline: Pipeline, *, root: Path | None, settings: tuple[str, ...] = (), provider: str = "") -> Program:
    """Returns a checked pipeline as a program; its Python files are loaded."""
    from gvstore.pipeline.execution import run_program

    project = Project(pipeline.root)
    name, target = names_of(pipeline.path, root)
    functions = {str(path): _loaded(path, pipeline.root, root) for step in pipeline.steps for path in _paths(step)}
    steps, params = {}, {}
    for step in pipeline.steps:
        source, code = step_source(step, pipeline, project, functions, root)
        steps[step.name] = WrittenComponent(
            step_call, name=f"{name}.{step.name}", shown=step.name, flavor=STEP, root=root, source=source, code=code, repeats=not step.cache
        )
        params[step.name] = prompt_params(step, pipeline, project)
    source = pipeline_source(pipeline)
    live = WrittenComponent(pipeline_call, name=name, shown=target, flavor=PIPELINE, root=root, source=source, code=source)
    nested = {
        step.name: program_of(step.work.pipeline, root=root, provider=provider)
        for step in pipeline.steps
        if step.work.pipeline is not None
    }
    program = Program(pipeline, name, target, root, live, steps, params, functions, nested, settings, provider, _unasking(functions, root))
    live.function = lambda *args: run_program(program, *args)
    return program


def names_of(path: Path, root: Path | None) -> tuple[str, str]:
    """Returns (dotted name, how it is typed) of a pipeline's file."""
    whole = path.resolve()
    folder = None if root is None else root.resolve()
    if folder is not None and whole.is_relative_to(folder):
        relative = whole.relative_to(folder)
        return ".".join(relative.with_suffix("").parts), relative.as_posix()
    return path.stem, str(whole)


def _paths(step: Step) -> list[FunctionPath]:
    works = [step.work, *([step.fallback] if step.fallback else [])]
    return [*(work.function for work in works if work.function is not None), *step.tools]


def _loaded(path: FunctionPath, folder: Path, root: Path | None) -> Callable[..., Any]:
    """Returns the function, as a component."""
    file = (folder / path.file).resolve()
    module = load_file(file, file.parent if root is None else root.resolve())
    function: Callable[..., Any] | None = getattr(module, path.function, None)
    if function is None or not callable(function):
        raise BadFunction(f"{path.place}: {path} is no function")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise BadFunction(f"{path.place}: {path} is asynchronous, or yields", hint="A module is a plain function that returns text.")
    if live_of(function) is not None:
        return function
    try:
        registered: Callable[..., Any] = register(function)
        return registered
    except (TypeError, ValueError) as e:
        raise BadFunction(f"{path.place}: {path} is no function: {e}") from e


def _unasking(functions: Mapping[str, Callable[..., Any]], root: Path | None) -> frozenset[str]:
    return frozenset(path for path, function in functions.items() if is_unaided(function, root, ("AI", "model_config")))
