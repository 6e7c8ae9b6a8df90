"""Looks at a whole pipeline before anything runs, and tells all that is wrong with it.

A name that is not there because its own step is faulty is not told again where it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gvstore.pipeline.config import Config, config_of
from gvstore.pipeline.document import Items, Node, Table, kind_of, parse_document
from gvstore.pipeline.expand import MAX_STEPS
from gvstore.pipeline.fault import Fault, Faults, NoPipeline, PipelineFault, arranged, or_meant, quoted
from gvstore.pipeline.fill import Filler, Scope
from gvstore.pipeline.find import named_in
from gvstore.pipeline.keys import PIPELINE
from gvstore.pipeline.kind import WRONG
from gvstore.pipeline.kind_table import Keys, Raw
from gvstore.pipeline.models import Models
from gvstore.pipeline.modules import Modules
from gvstore.pipeline.operation import Operation, Reader, check_param_names
from gvstore.pipeline.order import cycles, in_order
from gvstore.pipeline.pipeline import Pipeline
from gvstore.pipeline.place import Place
from gvstore.pipeline.project import Project, TextFile, read_text, root_of
from gvstore.pipeline.setting import Setting, changed
from gvstore.pipeline.wiring import Wiring

MAX_NESTED = 10  # levels
MAX_LOOKS = 1_000  # at pipelines that steps run: each step looks at its own, with its own parameters
_TOP = Keys(PIPELINE.name, tuple(replace(key, kind=Raw()) if key.name == "pipeline" else key for key in PIPELINE.keys))


def load_pipeline(path: Path, *, settings: Sequence[Setting] = (), provider: str = "") -> Pipeline:
    """Returns the pipeline of a file, checked; `provider` is where every model's name goes, whatever it says (`--provider`).

    Raises:
        NoPipeline: there is no such file.
        PipelineFault: it cannot run; every fault is told.
    """
    pipeline, faults = examine(path, settings=settings, provider=provider)
    if pipeline is None:
        raise PipelineFault(faults)
    return pipeline


def examine(path: Path, *, settings: Sequence[Setting] = (), provider: str = "") -> tuple[Pipeline | None, tuple[Fault, ...]]:
    """Returns the pipeline, if it can run, and all that was found, warnings included.

    Raises:
        NoPipeline: there is no such file.
    """
    faults = Faults()
    file = read_text(path, faults)
    if file is None and not faults.fatal:
        names = Project(root_of(path)).pipeline_names()
        raise NoPipeline(str(path), hint=f"There are: {', '.join(names)}." if names else "Name a .yml file, or a folder with a config.yml.")
    checker = _Checker(faults, provider)
    try:
        pipeline = checker.file(path, file, settings, {}) if file else None
    except PipelineFault as e:
        return None, arranged([*faults.found, *e.faults])
    found = arranged(faults.found)
    if pipeline is None or faults.fatal:
        return None, found
    return replace(pipeline, warnings=found, files=checker.files), found


@dataclass(slots=True)
class _Checker:
    """One look at a file, and at those that it runs."""

    faults: Faults
    provider: str
    projects: dict[Path, Project] = field(default_factory=dict)
    open: list[Path] = field(default_factory=list)
    pipelines: dict[Path, Path] = field(default_factory=dict)  # their files, as they are shown, by where they are
    steps: int = 0
    looks: int = 0

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that were read, sorted."""
        return tuple(sorted({*self.pipelines.values(), *(path for project in self.projects.values() for path in project.files)}))

    def file(self, path: Path, file: TextFile, settings: Sequence[Setting], given: Scope) -> Pipeline | None:
        """Returns the pipeline of a file; None if a fault keeps it from being one."""
        root = root_of(path)
        project = self.projects.setdefault(root.resolve(), Project(root))
        self.pipelines.setdefault(path.resolve(), path)
        tree = parse_document(file.text, file.path, self.faults)
        if tree is None or not isinstance(tree, Table):
            what = "the file is empty" if tree is None else f"a pipeline's file is a mapping with pipeline:, not {kind_of(tree)}"
            self.faults.add(tree.place if tree else file.start, f"{what}: write pipeline: and a list of steps below it")
            return None
        tree, config = self._configured(project, tree, settings)
        read = _TOP.read(tree, "the file", self.faults)
        if read is WRONG:
            return None
        filler = Filler(self.faults)
        params = self._params(tree, filler, given)
        self.open.append(path.resolve())
        try:
            reader = Reader(
                Modules(project, config, self.faults), Models(self.provider, self.faults), filler, self.faults, params, read.get("seed"),
                lambda name, place, own: self._nested(project, path, name, place, own),
            )  # fmt: skip
            operations = [found for node in self._entries(tree) if (found := reader.read(node)) is not None]
        finally:
            self.open.pop()
        return self._wired(path, project, config, operations, reader)

    def _configured(self, project: Project, tree: Table, settings: Sequence[Setting]) -> tuple[Table, Config]:
        file = project.read("config.yml", self.faults)
        try:
            node = parse_document(file.text, file.path, self.faults) if file else None
        except PipelineFault as e:
            self.faults.found += [each for each in e.faults if each not in self.faults.found]
            node = None
        if node is not None and not isinstance(node, Table):
            self.faults.add(node.place, f"config.yml is a mapping (default_model: ...), not {kind_of(node)}")
            node = None
        tree, table = changed(tree, node, settings, self.faults)
        return tree, config_of(table, self.faults)

    def _params(self, tree: Table, filler: Filler, given: Scope) -> Scope:
        table = tree.get("params")
        if table is not None and not isinstance(table, Table):
            self.faults.add(table.place, f"params takes a mapping (name: value), not {kind_of(table)}")
            return given
        known = table or Table(tree.place, ())
        check_param_names(known, self.faults)
        for name, node in given.items():
            if known.entry(name) is None:
                near = or_meant(name, [each.key for each in known.entries], otherwise="it has none of this name")
                self.faults.add(node.place, f"the pipeline {tree.place.path} takes no parameter {quoted(name)}: {near}")
        entries = tuple(replace(each, value=given.get(each.key, each.value)) for each in known.entries)
        return filler.params(replace(known, entries=entries), {})

    def _entries(self, tree: Table) -> tuple[Node, ...]:
        steps = tree.get("pipeline")
        if steps is None:
            return ()
        if not isinstance(steps, Items) or not steps.items:
            what = "an empty list" if isinstance(steps, Items) else kind_of(steps)
            self.faults.add(steps.place, f"pipeline takes a list of steps (- module: ...), not {what}")
            return ()
        return steps.items

    def _nested(self, project: Project, outer: Path, name: str, place: Place, own: Scope) -> Pipeline | None:
        """Returns the pipeline that a step runs; it is looked for beside the outer one, then in the project's folder."""
        path = named_in(outer.parent, name) or named_in(project.root, name)
        if path is None:
            near = or_meant(name, project.pipeline_names(), otherwise=f"looked for in {outer.parent}")
            self.faults.add(place, f"there is no pipeline {quoted(name)}: {near}")
            return None
        if path.resolve() in self.open:
            self.faults.add(place, f"the pipeline {name} runs itself")
            return None
        self.looks += 1
        if self.looks > MAX_LOOKS:
            if self.looks == MAX_LOOKS + 1:
                self.faults.add(place, f"more than {MAX_LOOKS:,} steps run pipelines, all loops counted")
            return None
        if len(self.open) >= MAX_NESTED:
            self.faults.add(place, f"pipelines run pipelines more than {MAX_NESTED} levels deep")
            return None
        file = read_text(path, self.faults)
        try:
            return self.file(path, file, (), own) if file else None
        except PipelineFault as e:
            self.faults.found += [each for each in e.faults if each not in self.faults.found]
            return None

    def _wired(self, path: Path, project: Project, config: Config, operations: list[Operation], reader: Reader) -> Pipeline | None:
        self.steps += sum(len(each.drafts) for each in operations)
        if self.steps > MAX_STEPS:
            raise PipelineFault([*self.faults.found, Fault(Place(str(path)), f"the loops make more than {MAX_STEPS:,} steps")])
        wiring = Wiring(operations, reader.spoiled, self.faults)
        steps = wiring.steps()
        waits = {step.name: step.waits_for for step in steps}
        for cycle in cycles(waits):
            first = next(step for step in steps if step.name == cycle[0])
            way = [*reversed(cycle), cycle[-1]]
            shown = [*way[:10], "...", *way[-2:]] if len(way) > 14 else way
            self.faults.add(wiring.place_of(first, cycle[1 % len(cycle)]), f"a cycle: {' -> '.join(shown)}")
        if self.faults.fatal:
            return None
        return Pipeline(path, project.root, config, steps, in_order(waits), wiring.groups)

