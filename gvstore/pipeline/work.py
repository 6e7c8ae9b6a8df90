"""What a step does when it is executed: asks a model, calls a function, a built-in module, or another pipeline."""

from __future__ import annotations

import inspect
from contextvars import ContextVar
from typing import Any, Final

from gvstore.journal.answers import Answer
from gvstore.journal.call import execute, open_call
from gvstore.journal.frame import Frame
from gvstore.journal.invocation import Invocation
from gvstore.journal.recorder import CURRENT
from gvstore.journal.register import live_of
from gvstore.models.tool import Tool
from gvstore.pipeline.builtin import run_builtin
from gvstore.pipeline.given import Results, answers
from gvstore.pipeline.module_call import ModuleCall
from gvstore.pipeline.restore import restore_program
from gvstore.pipeline.step import Does
from gvstore.store.active import current_store

CALL: Final[ContextVar[ModuleCall | None]] = ContextVar("gvstore.pipeline.call", default=None)
"""The step that a Python function is the module of; what the function calls finds the project by it."""


def perform(call: ModuleCall, results: Results) -> Any:
    """Returns a step's result."""
    match call.work.does:
        case Does.PROMPT:
            return _asked(call)
        case Does.FUNCTION:
            return _called(call)
        case Does.BUILTIN:
            return run_builtin(call)
        case Does.PIPELINE:
            return _nested(call, results)


def _asked(call: ModuleCall) -> Any:
    step = call.step
    if step.tools:
        return call.converse([Tool(call.program.functions[str(each)]) for each in step.tools], step.rounds, schema=step.schema)
    if step.schema is not None:
        return call.complete(schema=step.schema).value
    return call.ask()


def _called(call: ModuleCall) -> Any:
    """Calls a Python function with the prompt, and with `model_config` if it has such a parameter."""
    function = call.program.functions[str(call.work.function)]
    given: dict[str, Any] = dict(call.options)
    if "model_config" in _parameters(function)[1:]:
        given.setdefault("model_config", call.config.shown())
    token = CALL.set(call)
    try:
        return function(call.sent(call.prompt), **given)
    finally:
        CALL.reset(token)


def _parameters(function: Any) -> list[str]:
    live = live_of(function)
    return list((live.signature if live is not None else inspect.signature(function)).parameters)


def _nested(call: ModuleCall, results: Results) -> Any:
    """Runs another pipeline as a call below the step; its questions are answered by the step's inputs."""
    program = call.program.nested[call.step.name]
    by_inputs = {name: [value if isinstance(value, str) else str(value)] for name, value in answers(call.step, results).items()}
    inputs = {**call.below, **by_inputs}
    frame = CURRENT.get()
    assert frame is not None
    opened = open_call(frame, program.live, (inputs, [], program.provider, None, {}), {})
    if type(opened) is Frame:
        return execute(opened, lambda: program.live.function(inputs, [], program.provider, None, {}), (), {})
    if type(opened) is tuple:
        return opened[0]
    assert isinstance(opened, Answer)
    restore_program(program, Invocation.of_part(current_store(), opened.part))
    return opened.give()
