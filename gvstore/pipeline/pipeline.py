"""A pipeline that was looked at and can run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gvstore.pipeline.config import Config
from gvstore.pipeline.fault import Fault
from gvstore.pipeline.step import Does, Step


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Its steps, in the order of the file; `order` is the one in which they can run."""

    path: Path
    root: Path  # the project's folder
    config: Config
    steps: tuple[Step, ...]
    order: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]  # output_name: the steps of it, more than one with foreach
    warnings: tuple[Fault, ...] = ()
    files: tuple[Path, ...] = ()  # all that was read, those of pipelines that it runs too; sorted

    @property
    def by_name(self) -> dict[str, Step]:
        """The steps by name."""
        return {step.name: step for step in self.steps}

    @property
    def result(self) -> str:
        """The output_name whose result is the pipeline's: the last one of the file."""
        return self.steps[-1].output_name

    @property
    def asking(self) -> tuple[str, ...]:
        """The steps that ask a person, and do nothing else."""
        return tuple(step.name for step in self.steps if step.asks)

    @property
    def answerable(self) -> tuple[str, ...]:
        """The steps that ask a person for certain or may do so, as `modify_codebase` does: what `--input NAME=VALUE` can answer."""
        return tuple(step.name for step in self.steps if step.asks or (step.work.does is Does.BUILTIN and step.work.module == "modify_codebase"))
