"""On what a step's result depends, beside its inputs: plain data, fit to be recorded and to be compared.

A step whose terms and inputs are as they were gives what it gave.  Variables of
the environment stand in them by name, `${env:NAME}`.
"""

from __future__ import annotations

from typing import Any

from gvstore.pipeline.model_config import ModelConfig, plain
from gvstore.pipeline.step import Does, Step, Work


def terms(step: Step) -> dict[str, Any]:
    """Returns the terms of a step, without those that are not set.

    Names of steps and inputs are in them, since they stand in the prompt; when it
    is tried again, how long it may take and whether it is cached are not.
    """
    said: dict[str, Any] = {
        **work_terms(step.work),
        "inputs": [each.name for each in step.inputs],
        "when": step.when.source if step.when else None,
        "n": step.samples,
        "seed": step.seed,
        "schema": step.schema,
        "tools": [str(each) for each in step.tools],
        "rounds": step.rounds if step.tools else None,
        "options": {name: _plain(value) for name, value in step.options.items()},
        "fallback": work_terms(step.fallback) if step.fallback else None,
    }
    return {name: value for name, value in said.items() if value not in (None, [], {})}


def work_terms(work: Work) -> dict[str, Any]:
    """Returns the terms of what is done: module, prompt, model_config, supplement; of a pipeline those of all its steps.

    A step that asks a person, or runs a pipeline, does not depend on how models are asked.
    """
    asks = work.system is not None or work.does is Does.FUNCTION
    said: dict[str, Any] = {
        "does": work.does.value,
        "module": work.module,
        "function": str(work.function) if work.function else None,
        "system": _plain(work.system),
        "model_config": work.model_config.shown() if asks else None,
        "supplement": _plain(work.supplement),
        "pipeline": {step.name: terms(step) for step in work.pipeline.steps} if work.pipeline else None,
    }
    return {name: value for name, value in said.items() if value not in (None, {})}


def _plain(value: object) -> object:
    return value.shown() if isinstance(value, ModelConfig) else plain(value)
