"""One attempt at one step: the action is given its view of the state and its inputs, and the whole state comes back.

All that an action may not do is found here: what it was not given, what it
returned, what it wrote.  The state that went in is never changed, so an action
that fails leaves no trace, whatever it did to the values it was handed.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gvstore.machine.action_class import Action
from gvstore.machine.action_fault import AsyncAction, WrongReturn, shown
from gvstore.machine.state import State
from gvstore.machine.terms import Terms
from gvstore.machine.view import Extent, View, settled, view_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step came to: the action's result, the whole state after it, and, if it was executed, what it did with fields."""

    result: Any
    state: State[Any]
    extent: Extent | None = field(default=None, compare=False)


def execute(action: Action, state: State[Any], inputs: Mapping[str, Any] | None = None) -> Outcome:
    """Returns the outcome of a sync action; of a streaming one, after all of its stream.

    `inputs` may hold those of other actions, "__context" and "__tracer": an
    action is given what its function has as parameters.

    Raises:
        ActionFault: it was not given what it needs, or did what it may not; see `action_fault`.
        Exception: whatever the action raises.
    """
    terms = action.terms()
    if terms.is_async:
        raise AsyncAction(terms.label)
    if action.streaming:
        from gvstore.machine.cycle_stream import drained

        return drained(action, state, inputs)
    given, view = terms.given(inputs), view_of(state, terms)
    if action.single_step:
        output = action.run_and_update(view, **given)  # type: ignore[attr-defined]
        if type(output) is not tuple and inspect.isawaitable(output):
            raise _unawaited(terms, output)
        return finished(terms, view, output)
    output = action.run(view, **given)
    if type(output) is not dict and inspect.isawaitable(output):
        raise _unawaited(terms, output)
    return reduced(action, view, output)


async def execute_async(action: Action, state: State[Any], inputs: Mapping[str, Any] | None = None) -> Outcome:
    """Returns the outcome of an action, sync or async; otherwise as `execute`."""
    terms = action.terms()
    if action.streaming:
        from gvstore.machine.cycle_stream import drained_async

        return await drained_async(action, state, inputs)
    given, view = terms.given(inputs), view_of(state, terms)
    if action.single_step:
        output = action.run_and_update(view, **given)  # type: ignore[attr-defined]
        return finished(terms, view, await output if inspect.isawaitable(output) else output)
    output = action.run(view, **given)
    return reduced(action, view, await output if inspect.isawaitable(output) else output)


def finished(terms: Terms, view: View[Any], output: object) -> Outcome:
    """Returns the outcome of what an action in one step returned.

    Raises:
        ActionFault: it is no state and no (result, state), or wrote what it may not.
    """
    if isinstance(output, State):
        return Outcome({}, *settled(terms, view, output))
    if not isinstance(output, tuple) or len(output) != 2:
        raise WrongReturn(terms.label, f"must return either a State or (result, State), and returned {_what(output)}")
    result, after = output
    if not isinstance(result, dict) and not terms.any_result:
        hint = "The other way round: return result, state." if isinstance(result, State) else "The result is a dict: {...}."
        raise WrongReturn(terms.label, f"returned a non-dict result: {shown(result)}; it must return either a State or (result, State)", hint)
    return Outcome(result, *settled(terms, view, after))


def reduced(action: Action, view: View[Any], result: Any) -> Outcome:
    """Returns the outcome of what the `run` of an action in two steps returned.

    Raises:
        ActionFault: it is no dict, or `update` wrote what it may not.
    """
    terms = view.terms
    if not isinstance(result, dict):
        raise WrongReturn(terms.label, f"returned a non-dict result from run: {shown(result)}", "run(state) returns a dict, which update(result, state) gets.")
    after = action.update(result, view.widened())
    if not isinstance(after, State):
        _close(after)
        hint = "update(result, state) is not async, and returns state.update(**result)."
        raise WrongReturn(terms.label, f"must return a State from update, and returned {shown(after)}", hint)
    return Outcome(result, *settled(terms, view, after))


def _what(output: object) -> str:
    if isinstance(output, tuple):
        return f"a tuple of {len(output)}"
    if output is None:
        return "None (is there a return?)"
    return shown(output)


def _unawaited(terms: Terms, output: object) -> AsyncAction:
    _close(output)
    return AsyncAction(terms.label, f"returned something to await ({type(output).__name__}), so it is async, and this run is not")


def _close(output: object) -> None:
    if inspect.iscoroutine(output):
        output.close()
