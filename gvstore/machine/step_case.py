"""Tests made of recorded steps, and what they call.

    gv machine test-case run/5:3 > test_answer.py

The test gives the action what it was given then, and asks for what it answered
then: it is a start, to be edited.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pprint import pformat
from typing import Any, Final

from gvstore.errors import UsageFault
from gvstore.machine.application import Application
from gvstore.machine.attempts import with_timeout
from gvstore.machine.cycle import Outcome, execute
from gvstore.machine.duplicate import is_same
from gvstore.machine.outcome import apply_step
from gvstore.machine.serde import serialize
from gvstore.machine.state import State
from gvstore.machine.steps import MachineCall, Step, given

_WIDTH: Final = 100


class NoTestCase(UsageFault):
    """Of this step no test can be made."""


def run_step(machine: Any, action: str, state: State[Any] | Mapping[str, Any], inputs: Mapping[str, Any] | None = None) -> Outcome:
    """Returns what one action of an application does with a state and inputs; nothing is recorded, nothing comes after it.

    Raises:
        UnknownAction: the application has no such action.
        what the action raises.
    """
    app: Application[Any] = machine if isinstance(machine, Application) else machine()
    found: Any = app.graph.get_action(action)
    whole = state if isinstance(state, State) else State(state)
    if found.is_async():
        import asyncio

        from gvstore.machine.cycle import execute_async

        return asyncio.run(execute_async(found, whole, inputs or {}))
    return with_timeout(found, lambda: execute(found, whole, inputs or {}))


def case_text(machine: MachineCall, step: Step, module: str, holder: str, made: str) -> str:
    """Returns the text of a pytest file that repeats a recorded step; `made` says when and how it was made.

    `module` and `holder` name the variable that holds the application, or the function that returns it.

    Raises:
        NoTestCase: the step did not end, or holds what JSON cannot.
    """
    if step.status != "ok":
        raise NoTestCase(f"step {step.index}, {step.action}, {_why(step)}", hint="Name a step that ended well: `gv show RUN` lists them.")
    before = machine.state_after(step.index)
    reads: State[Any] = State(given(step.call, before))
    lengthened = {name: before[name] for name in step.further if name in before and name not in reads}
    state = reads.merge(lengthened)
    written = apply_step((step.result, step.wrote, step.further, step.gone), state).state.subset(*step.wrote, *step.further)
    name = re.sub(r"\W+", "_", step.action).strip("_") or "step"
    inputs = {each: value for each, value in step.call.args["inputs"].items() if not each.startswith("__")}
    spelled = [_spelled(each) for each in (state.get_all(), inputs, step.result, written.get_all())]
    body = _TEXT.format(
        made=made, module=module, holder=holder, name=name, action=step.action, state=spelled[0], inputs=spelled[1],
        result=spelled[2], written=spelled[3],
        imports="from gvstore.machine.serde import deserialize\n" if any("deserialize(" in each for each in spelled) else "",
    )  # fmt: skip
    return body + (f"    assert not {set(step.gone)!r} & set(outcome.state)\n" if step.gone else "")


def _why(step: Step) -> str:
    return "raised" if step.status == "raised" else f"is {step.status}"


def _spelled(value: Any) -> str:
    """Returns a value as Python source: itself if it is plain data, else what restores it."""
    data = serialize(value)
    text = pformat(data, width=_WIDTH, sort_dicts=False).replace("\n", "\n    ")
    return text if is_same(data, value) else f"deserialize({text})"


_TEXT: Final = '''"""The action {action}, as it was recorded.

{made}
"""

from __future__ import annotations

import pytest

from gvstore.machine import State, run_step
{imports}
from {module} import {holder}


@pytest.fixture
def state() -> State:
    """What the action was given of the state."""
    return State({state})


def test_{name}(state: State) -> None:
    """The action answers, and writes, what it did then."""
    outcome = run_step({holder}, "{action}", state, inputs={inputs})
    assert outcome.result == {result}
    written = {written}
    assert outcome.state.subset(*written) == written
'''
