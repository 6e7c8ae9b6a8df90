"""Parts of recorded machines that a user names: `run/5:3/state/history` is the history after step 3."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from gvstore.cli.step_line import ACTION, MACHINE
from gvstore.cli.subject import Subject
from gvstore.errors import BadRev
from gvstore.journal.address import format_path
from gvstore.journal.invocation import Invocation
from gvstore.machine.state import State
from gvstore.machine.state_fault import MissingField
from gvstore.machine.steps import MachineCall, given

ENDED: Final = ("result", "writes", "appends")  # parts of a step that are there when it has ended
STEP_PARTS: Final = (*ENDED, "reads", "inputs")


def is_step(call: Invocation | None) -> bool:
    """Returns whether a call is a machine's step."""
    return call is not None and call.component.flavor == ACTION


def is_machine(call: Invocation | None) -> bool:
    """Returns whether a call is a run of a machine."""
    return call is not None and call.component.flavor == MACHINE


def machine_of(subject: Subject) -> tuple[MachineCall, int]:
    """Returns the machine that a subject is or is a step of, and the number of its calls up to and with the step.

    Raises:
        BadRev: it is none.
    """
    call, run = subject.call, subject.run
    if call is None and run is not None:
        call = run.invocation
    assert call is not None
    if is_machine(call):
        found = _opened(subject, call, subject.path)
        return found, len(found)
    if not is_step(call) or run is None:
        raise BadRev(f"{subject.name} is no step of a state machine", hint="`gv show RUN` lists the steps of a machine's run.")
    above = run.invocation
    for index in subject.path[:-1]:
        above = above.get_child(index)
    return _opened(subject, above, subject.path[:-1]), subject.path[-1] + 1


def _opened(subject: Subject, call: Invocation, path: tuple[int, ...]) -> MachineCall:
    if not path and subject.run is not None:
        return MachineCall.of_run(call, subject.run.record)
    return MachineCall(call)


def state_of(subject: Subject) -> State[Any]:
    """Returns the state after a step, or after all of a machine's."""
    machine, count = machine_of(subject)
    return machine.state_after(count) if is_step(subject.call) else machine.last_state()


def state_part(subject: Subject) -> Subject:
    """Returns a subject whose part is `state`, or lies in it, with that value.

    Raises:
        BadRev: there is no such field.
    """
    from gvstore.journal.address import inside

    state, (_, *names) = state_of(subject), subject.part
    if not names:
        return replace(subject, value=state.get_all())
    try:
        value: Any = state[names[0]]
    except MissingField as e:
        above = format_path(subject.path)
        raise BadRev(f"there is no {names[0]} in the state after {above or 'the last step'}", hint=f"It has {', '.join(state) or 'no fields'}.") from e
    for name in names[1:]:
        value = inside(value, name)
    return replace(subject, value=value)


def argument_part(subject: Subject) -> Subject:
    """Returns a subject whose part is `args`, or lies in it, with that value: a large field as it was, and not as its name.

    Raises:
        BadRev: there is no such argument.
    """
    from gvstore.journal.address import inside

    assert subject.call is not None
    value: Any = {**subject.call.args, "state": read_by(subject)}
    for name in subject.part[1:]:
        value = inside(value, name)
    return replace(subject, value=value)


def step_part(subject: Subject) -> Subject:
    """Returns a subject whose part is one that `gv show` tells of a step, or lies in it, with that value.

    Raises:
        BadRev: there is no such field; of a step that did not end there is no result.
        InvocationError: it did not end.
    """
    from gvstore.journal.address import inside
    from gvstore.journal.fault import NoSuchCall
    from gvstore.machine.steps import step_of

    call, (part, *names) = subject.call, subject.part
    assert call is not None
    if part in ENDED and call.status != "ok":
        return replace(subject, value=call.output)  # raises what tells why there is none
    step = step_of(call)
    values: dict[str, Any] = {"result": step.result, "writes": step.wrote, "appends": step.further}
    value = read_by(subject) if part == "reads" else call.args["inputs"] if part == "inputs" else values[part]
    for depth, name in enumerate(names):
        try:
            value = inside(value, name)
        except NoSuchCall as e:
            above = replace(subject, part=()).name
            other = "appends" if part == "writes" and name in step.further else "writes" if part == "appends" and name in step.wrote else ""
            if other and not depth:
                raise BadRev(f"there is no {name} in {above}/{part}", hint=f"Did you mean {above}/{other}/{name}, or {above}/state/{name}?") from e
            raise
    return replace(subject, value=value)


def read_by(subject: Subject) -> dict[str, Any]:
    """Returns what a step read of the state, by field."""
    machine, count = machine_of(subject)
    assert subject.call is not None
    return given(subject.call, machine.state_after(count - 1))


def told(subject: Subject) -> dict[str, Any]:
    """Returns what `gv show` tells of a step or a run of a machine, by name."""
    call = subject.call
    assert call is not None
    if is_machine(call):
        machine, _ = machine_of(subject)
        found = {"inputs": machine.inputs, "began after": machine.position, "app": machine.app_id, "partition": machine.partition_key}
        return {name: value for name, value in found.items() if value} | {"state": machine.last_state().get_all()}
    from gvstore.machine.steps import step_of

    step = step_of(call)
    inputs = {name: value for name, value in call.args["inputs"].items() if not name.startswith("__")}
    found = {"inputs": inputs, "reads": read_by(subject), "result": step.result, "writes": step.wrote}
    return {name: value for name, value in found.items() if value} | (
        {"appends": step.further} if step.further else {}
    ) | ({"takes away": step.gone} if step.gone else {})
