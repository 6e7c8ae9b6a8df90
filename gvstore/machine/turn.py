"""One step of an application: what comes before its action runs, and what is made of how that ended.

Nothing here executes, tells hooks or saves (`walk.py` does, in a plain and an
awaited form).  A step that fails leaves the state as it was.  If an error
transition takes the failure, the machine's own fields say what is to come:

    __next      [action, what was raised as text]: this action is next, whatever the transitions say;
                of a step that a resumed application tries again, with the number that it had first
    __errors    {action: {number of the transition: visits in a row}}, for error transitions with max=

They are fields of the state, so that they go where it goes: into persisters,
records and forks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gvstore.machine.action_fault import AsyncAction, MissingInputs
from gvstore.machine.application_fault import FailedBefore, StepUnderway
from gvstore.machine.context import CURRENT, ApplicationContext
from gvstore.machine.node import name_of
from gvstore.machine.state import State

if TYPE_CHECKING:
    from gvstore.machine.application import Application
    from gvstore.machine.terms import Terms
    from gvstore.machine.tracing import TracerFactory

NEXT = "__next"
ERRORS = "__errors"
TRACING = "gvstore.machine.tracing"

Done = tuple[Any, Any, State[Any]]  # action, its result (None: it failed, and an error transition goes on), state


class Ended:
    """How a step ended, as the last item of what it streams."""

    __slots__ = ("done",)

    def __init__(self, done: Done) -> None:
        self.done = done


class Turn:
    """A step that is about to run, runs, or ran."""

    __slots__ = ("action", "answer", "app", "context", "error", "first", "given", "inputs", "name", "number", "state", "status", "streams", "tracer")

    def __init__(self, app: Application[Any], inputs: Mapping[str, Any], action: Any, terms: Terms) -> None:
        self.app, self.action, self.name = app, action, name_of(action)
        self.inputs = {name: inputs[name] for name in (*terms.required, *terms.optional) if name in inputs} if inputs else {}
        self.state: State[Any] = app._state
        error = None
        self.number = 0 if app._sequence_id is None else app._sequence_id + 1
        self.first = app._failing[1] if app._failing is not None and app._failing[0] == self.name else self.number
        if NEXT in self.state:
            error = app._error or _failed_before(self.state)
            self.first = min([self.first, *self.state.peek(NEXT)[2:]])
            self.state = self.state.wipe(delete=[NEXT])
        self.context = ApplicationContext(
            app._uid,
            app._partition_key,
            self.number,
            app._tracker,
            app._parallel_executor_factory,
            app._state_initializer,
            app._state_persister,
            self.name,
            error,
            self.first,
        )
        self.given = self.inputs
        self.tracer: TracerFactory | None = None
        if "__tracer" in terms.private or TRACING in sys.modules:  # without that module there is no @trace()
            self.tracer = _tracer(app, self.name, self.number)
        if terms.private:
            own = {"__context": self.context, "__tracer": self.tracer}
            self.given = {**self.inputs, **{name: own[name] for name in terms.private}}
        elif self.tracer is not None:
            self.given = {**self.inputs, "__tracer": self.tracer}
        self.error: BaseException | None = None
        self.answer: Done | None = None
        self.status, self.streams = "running", False

    def before(self) -> dict[str, Any]:
        """Returns what hooks are told before the step."""
        app = self.app
        return {
            "app_id": app._uid,
            "partition_key": app._partition_key,
            "sequence_id": self.number,
            "state": self.state,
            "action": self.action,
            "inputs": self.inputs,
        }

    def after(self) -> dict[str, Any]:
        """Returns what hooks are told after the step."""
        app, answer = self.app, self.answer
        return {
            "app_id": app._uid,
            "partition_key": app._partition_key,
            "sequence_id": self.number,
            "state": self.state if answer is None or self.error is not None else answer[2],
            "action": self.action,
            "result": None if answer is None else answer[1],
            "exception": self.error,
        }

    @contextmanager
    def within(self) -> Iterator[None]:
        """Makes the step what runs in this context: its context, and where `@trace()` makes spans."""
        token = CURRENT.set(self.context)
        try:
            if self.tracer is None:
                yield
            else:
                with self.tracer.active():
                    yield
        finally:
            CURRENT.reset(token)

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """Keeps other steps away while this one's stream is handed out."""
        self.streams, self.app._turn = True, self
        try:
            yield
        finally:
            if self.app._turn is self:
                self.app._turn = None

    def start(self) -> None:
        """Counts the step: it counts if it fails, too."""
        self.app._sequence_id, self.app._turn = self.number, self

    def finish(self, result: Any, state: State[Any]) -> Done:
        """Takes what the step gave: this is now the application's state."""
        app = self.app
        if ERRORS in state and self.name in (counts := state[ERRORS]):
            del counts[self.name]
            state = state.update(**{ERRORS: counts}) if counts else state.wipe(delete=[ERRORS])
        app._state, app._position, app._error, app._turn, app._failing = state, self.name, None, None, None
        self.status = "completed"
        self.answer = (self.action, result, state)
        return self.answer

    def fail(self, error: BaseException) -> Done | None:
        """Takes what the step raised; returns what it answers if an error transition takes it, else None: it is raised."""
        app, self.error, self.status = self.app, error, "failed"
        app._turn, app._failing = None, (self.name, self.first)
        counts = self.state.get(ERRORS, {})
        if isinstance(error, GeneratorExit):  # a reader left its stream: nothing leads on from that
            return None
        found = app._graph.get_error_transition(self.name, error, counts.get(self.name, {}))
        if found is None:
            return None
        number, transition = found
        visits = counts.pop(self.name, {}).get(number, 0) + 1
        if transition.on_error is not None and transition.on_error.max is not None:
            counts[self.name] = {number: visits}
        state = self.state.wipe(delete=[ERRORS]).update(**{NEXT: [name_of(transition.to), f"{type(error).__name__}: {error}"]})
        if counts:
            state = state.update(**{ERRORS: counts})
        app._state, app._position, app._error, app._failing = state, self.name, error, None
        self.answer = (self.action, None, state)
        return self.answer


def _tracer(app: Application[Any], name: str, number: int) -> TracerFactory:
    from gvstore.machine.tracing import TracerFactory

    return TracerFactory(name, number, app._hooks, app._uid, app._partition_key)


def begin(app: Application[Any], inputs: Mapping[str, Any], method: str) -> Turn | None:
    """Returns the next step, looked at before anything of it runs; None at the end.

    Raises:
        StepUnderway: another is not over.
        AsyncAction: it is async and `method` is not.
        MissingInputs: it has no input that it needs.
        MissingKeys: the state lacks what a condition reads.
    """
    if app._turn is not None:
        raise StepUnderway(app._turn.name, streams=app._turn.streams)
    action = app.get_next_action()
    if action is None:
        return None
    terms = action.terms()
    if terms.is_async and not method.startswith("a"):
        raise AsyncAction(terms.label)
    if terms.required:
        missing = [each for each in terms.required if each not in inputs]
        if missing:
            raise MissingInputs(terms.label, missing, inputs, terms.signature)
    return Turn(app, inputs, action, terms)


def _failed_before(state: State[Any]) -> BaseException | None:
    text = state.peek(NEXT)[1]
    return None if text is None else FailedBefore(text)
