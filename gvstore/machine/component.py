"""Components of machines: an action's function or class, and a machine itself.

A step is a call of the component that its action's code is, named and hashed
as any other; its arguments are the action's name, what it reads of the state
and its inputs.  A run of a machine is a call of the machine, whose code is
what its graph says, and whose name that of the variable that holds it.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from gvstore.journal.cells import cells_of
from gvstore.journal.component import LiveComponent
from gvstore.journal.held import HeldComponent
from gvstore.journal.register import note_component
from gvstore.objects.component import STEP, Component

if TYPE_CHECKING:
    from gvstore.machine.application import Application

ACTION: Final = "action"
MACHINE: Final = "machine"
RETRIES: Final = "retries"  # in what a machine is described by: {action: [attempts, [exceptions]]}
_ROOM: Final = __name__.rpartition(".")[0]


def _step(action: str, state: dict[str, Any], inputs: dict[str, Any]) -> None:
    """Shows how a step is called: what is executed knows the whole state."""


def _machine(
    state: Any, position: str | None, sequence_id: int, method: str, halt_before: tuple[str, ...], halt_after: tuple[str, ...],
    inputs: dict[str, Any], limit: int | None, identity: tuple[str | None, str | None],
) -> None:  # fmt: skip
    """Shows how a machine is called."""


class ActionComponent(LiveComponent):
    """The function or class that an action's code is."""

    def __init__(self, subject: Any, *, streams: bool) -> None:
        super().__init__(subject, _step, flavor=ACTION)
        self._cells = cells_of(subject)
        self.streams = streams
        self.plain = not streams

    @property
    def written(self) -> Any:
        """The function or class."""
        return self.subject

    def _make(self, root: Path | None) -> Component:
        return replace(super()._make(root), flavor=ACTION, parameters=STEP)


def machine_component(app: Application[Any], function: Callable[..., Any]) -> HeldComponent:
    """Returns the component of a machine that is being built: `function` is called with what `_machine` takes."""
    for action in app.graph.actions:
        component_of(action)
    live = HeldComponent(
        app, _machine, flavor=MACHINE, room=_ROOM, text=lambda: described(app), functions=lambda: _conditions(app)
    )
    live.function = function
    return live


def described(app: Application[Any]) -> str:
    """Returns what a machine's graph says, as text that changes where the graph does."""
    told: dict[str, Any] = {"entrypoint": app.entrypoint, **app.graph.to_dict()}
    retries = {each.name: retry for each in app.graph.actions if (retry := getattr(each, "retry", None)) is not None}
    if retries:
        told[RETRIES] = {name: [retry.max_attempts, [kind.__name__ for kind in retry.kinds]] for name, retry in retries.items()}
    return json.dumps(told, indent=1, ensure_ascii=False, default=str)


def _conditions(app: Application[Any]) -> Iterator[FunctionType]:
    """Yields the functions of the program that decide over transitions."""
    for transition in app.graph.transitions:
        resolver = transition.condition.resolver
        if isinstance(resolver, FunctionType) and not resolver.__module__.startswith(_ROOM):
            yield resolver


_of_subject: weakref.WeakKeyDictionary[Any, ActionComponent] = weakref.WeakKeyDictionary()


def component_of(action: Any) -> ActionComponent:
    """Returns the component of an action's code; actions of one function share it."""
    subject = action.subject
    live = _of_subject.get(subject)
    if live is None:
        live = _of_subject[subject] = ActionComponent(subject, streams=bool(action.streaming))
        note_component(live)
    return live
