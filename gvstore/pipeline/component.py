"""Components of pipelines: a pipeline, and each of its steps.

A run of a pipeline is a call of it; its code is what its file says of steps and edges.  A
step is a call below that; its code is what the model is told, its arguments are all else that
its answer depends on.  Both have their names from the pipeline's path: `plan.task_plan` is
the step `task_plan` of plan.yml.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, Final

from gvstore.journal.component import LiveComponent
from gvstore.objects.component import Component
from gvstore.objects.oid import ObjectId

PIPELINE: Final = "pipeline"  # flavors of components
STEP: Final = "step"
QUESTION: Final = "gvstore.journal.question.RequestInput"
COMPLETE: Final = "gvstore.models.completion.complete"


def pipeline_call(
    inputs: dict[str, list[str]], settings: list[str], provider: str, chosen: list[str] | None, given: dict[str, Any]
) -> None:
    """Shows how a pipeline is called: answers to its questions, `--set`, `--provider`, the steps to run, results it has already."""


def step_call(
    module: str, inputs: dict[str, Any], model_config: dict[str, Any], supplement: str | None, seed: int | None, options: dict[str, Any]
) -> None:
    """Shows how a step is called; `options` holds what few steps have."""


class WrittenComponent(LiveComponent):
    """What files say, as a component: `source` is what they say, `code` the same as far as it counts.

    `shown` is its name where nothing stands before it: a step's, which may have dots in it, or the pipeline's path.
    """

    def __init__(
        self, shape: Callable[..., None], *, name: str, shown: str, flavor: str, root: Path | None, source: str, code: str, repeats: bool = False
    ) -> None:
        super().__init__(shape, shape, flavor=flavor, effect="repeat" if repeats else "")
        self.module, self.qualname, self._root = __name__, name, root
        self._written = Component(
            name=name, flavor=flavor, signature="(...)", parameters=self.parameters, doc=shown, source=source,
            text=bytes(ObjectId.of(source.encode())), own=bytes(ObjectId.of(code.encode())),
        )  # fmt: skip
        self.face = None

    def component(self, root: Path | None) -> Component:
        """Returns its stored form; in another project than its own it has no name that anybody asks for."""
        if root == self._root:
            return self._written
        return Component(name=f"{self._root}:{self.qualname}", flavor=self.flavor, parameters=self.parameters)


def shown_name(component: Component) -> str:
    """Returns the name of a recorded step, or of a pipeline, without what stands before it."""
    name = component.doc or component.name.rpartition(".")[2]
    return PurePosixPath(name).stem if component.flavor == PIPELINE else name
