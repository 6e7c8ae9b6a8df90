"""Components of machines: an action's function or class, and a machine itself.

A step is a call of the component that its action's code is, named and hashed
as any other; its arguments are the action's name, what it reads of the state
and its inputs.  A run of a machine is a call of the machine, whose code is
what its graph says, and whose name that of the variable that holds it.  The
machines that a parallel action runs have its name, `fan.Ask.branch`: its code
says which they are, so that they have none of their own.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from gvstore.errors import UsageFault
from gvstore.journal.cells import cells_of
from gvstore.journal.component import LiveComponent
from gvstore.journal.held import HeldComponent
from gvstore.journal.register import note_component, note_object
from gvstore.machine.part import NOWHERE
from gvstore.objects.component import STEP, Component
from gvstore.objects.encode import Encoder
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.machine.application import Application

ACTION: Final = "action"
MACHINE: Final = "machine"
RETRIES: Final = "retries"  # in what a machine is described by: {action: [attempts, [exceptions]]}
BRANCH: Final = "branch"
_ROOM: Final = __name__.rpartition(".")[0]
_BRANCH_CODE: Final = bytes(ObjectId.of(BRANCH.encode()))


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
        self.streams = streams
        self.plain = not streams
        self._is_held = False

    def hold(self) -> None:
        """Notes that a machine has the action now: what its function closes over counts as it is when the first does."""
        if not self._is_held:
            self._is_held, self._cells = True, cells_of(self.subject)
            self._components.clear()

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
        app, _machine, flavor=MACHINE, room=_ROOM, text=lambda: described(app), functions=lambda: _counting(app)
    )
    live.function = function
    return live


def described(app: Application[Any]) -> str:
    """Returns what a machine's graph says, as text that changes where the graph does."""
    told: dict[str, Any] = {"entrypoint": app.entrypoint, **app.graph.to_dict()}
    told["code"] = {each.name: str(getattr(getattr(each, "subject", each), "__qualname__", "")) for each in app.graph.actions}
    retries = {each.name: retry for each in app.graph.actions if (retry := getattr(each, "retry", None)) is not None}
    if retries:
        told[RETRIES] = {name: [retry.max_attempts, [kind.__name__ for kind in retry.kinds]] for name, retry in retries.items()}
    return json.dumps(told, indent=1, ensure_ascii=False, default=str)


def _digest(bound: Any) -> bytes:
    """Returns what tells bound values apart, nothing where there are none; what cannot be encoded counts by its type."""
    return bytes(ObjectId.of(Encoder(NOWHERE).nested(_plain(bound)))) if bound else b""


def _plain(value: Any) -> Any:
    """Returns a value with the actions in it as what they are called and what they have bound."""
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    subject = getattr(value, "subject", None)
    return value if subject is None else [str(getattr(subject, "__qualname__", "")), _plain(getattr(value, "bound", {}))]


def _counting(app: Application[Any]) -> Iterator[FunctionType | bytes]:
    """Yields what counts beside the graph: what actions have bound, and the functions of the program that decide over transitions."""
    for action in app.graph.actions:
        yield _digest(getattr(action, "bound", None))
    for transition in app.graph.transitions:
        resolver = transition.condition.resolver
        if isinstance(resolver, FunctionType) and not resolver.__module__.startswith(_ROOM):
            yield resolver


class BranchComponent(HeldComponent):
    """The machines of one graph that the parallel action of this module and name runs; without a text all of them."""

    def __init__(self, module: str, qualname: str, text: str = "") -> None:
        named = module, f"{qualname}.{BRANCH}"
        super().__init__(None, _machine, flavor=MACHINE, room=_ROOM, text=lambda: text, named=named)
        self.function = _apart

    def _make_named(self, name: str, root: Path | None) -> Component:
        return replace(super()._make_named(name, root), own=_BRANCH_CODE)


class MapReduceComponent(ActionComponent):
    """The code of an action that is made of several functions: named as the first, and changed where any of them is."""

    def __init__(self, subject: Any, others: tuple[Any, ...]) -> None:
        super().__init__(subject, streams=False)
        self._others = [ActionComponent(each, streams=False) for each in others]
        note_object(self)

    def hold(self) -> None:
        """Notes that a machine has the action now."""
        super().hold()
        for each in self._others:
            each.hold()

    def _make(self, root: Path | None) -> Component:
        made = super()._make(root)
        code = made.own + b"".join(each.component(root).code for each in self._others)
        return replace(made, own=bytes(ObjectId.of(code)))


def _apart(*args: Any) -> None:
    """Raises UsageFault: what a branch is, its action says when it runs."""
    raise UsageFault("a branch of a parallel action runs as a part of its step", hint="Replay the run that the step belongs to.")


_of_subject: weakref.WeakKeyDictionary[Any, ActionComponent] = weakref.WeakKeyDictionary()


def component_of(action: Any) -> ActionComponent:
    """Returns the component of an action's code; actions of one function share it."""
    live: ActionComponent = getattr(action, "_component", None) or note_action(action.subject, streams=bool(action.streaming))
    live.hold()
    return live


def note_action(subject: Any, *, streams: bool) -> ActionComponent:
    """Returns the component of an action's function or class, made known when it is first asked for."""
    live = _of_subject.get(subject)
    if live is None:
        live = _of_subject[subject] = ActionComponent(subject, streams=streams)
        note_component(live)
    return live
