"""`wandb_enabled: true` in config.yml: a run of a pipeline as a run of Weights & Biases, when it has ended.

A table with a row a step; where it goes, and whether anywhere, is wandb's own affair: WANDB_MODE=offline, WANDB_PROJECT, WANDB_DIR.
What is sent is what was recorded, so no key is among it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from gvstore.errors import UsageFault
from gvstore.pipeline.component import PIPELINE, STEP, shown_name
from gvstore.pipeline.prompt import text_of
from gvstore.pipeline.usage import usage_of

if TYPE_CHECKING:
    from gvstore.journal.run import Run

COLUMNS: Final = ("step", "module", "status", "model", "inputs", "output", "prompt_tokens", "completion_tokens")


class NotLogged(UsageFault):
    """A run could not be told to Weights & Biases; it is kept all the same."""


def log_run(run: Run[Any]) -> None:
    """Tells Weights & Biases of a run.

    Raises:
        NotLogged: the package is missing, or it failed; says why.
    """
    try:
        wandb: Any = importlib.import_module("wandb")  # no dependency, not even an optional one
    except ImportError as e:
        raise NotLogged("config.yml says wandb_enabled, and wandb is not installed", hint="Run `pip install wandb`, or set it to false.") from e
    rows = rows_of(run)
    counts = {name: sum(row[name] for row in rows) for name in ("prompt_tokens", "completion_tokens")}
    try:
        session = wandb.init(
            name=f"{shown_name(run.invocation.component)} {run.name}", config={"pipeline": run.record.target, "status": run.status}, settings={"silent": True, "console": "off"}
        )
        session.log({"steps": wandb.Table(columns=list(COLUMNS), data=[[row[name] for name in COLUMNS] for row in rows])})
        session.summary.update({**counts, "steps_run": len(rows)})
        session.finish()
    except Exception as e:  # whatever it is, the run is kept
        raise NotLogged(f"wandb failed: {type(e).__name__}: {e}") from e


def rows_of(run: Run[Any]) -> list[dict[str, Any]]:
    """Returns a row for each step, those of pipelines below it too, in their order."""
    rows, stack = [], [run.invocation]
    while stack:
        call = stack.pop()
        if call.component.flavor == STEP:
            used = list(usage_of(call, nested=False))
            args = call.args
            rows.append({
                "step": shown_name(call.component),
                "module": args["module"],
                "status": "skipped" if "skipped" in args["options"] else call.status,
                "model": ", ".join(dict.fromkeys(each.model for each in used)),
                "inputs": "\n".join(f"{name.upper()}: {text_of(value)}" for name, value in args["inputs"].items()),
                "output": text_of(call.output) if call.status == "ok" and call.output is not None else "",
                "prompt_tokens": sum(each.prompt_tokens for each in used),
                "completion_tokens": sum(each.completion_tokens for each in used),
            })  # fmt: skip
        if call.component.flavor in (PIPELINE, STEP):
            stack += reversed(list(call.get_children()))
    return rows
