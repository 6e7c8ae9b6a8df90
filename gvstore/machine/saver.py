"""When an application's steps go to its persister: after every step, after every n-th, or after every call."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Literal

from gvstore.errors import UsageFault
from gvstore.machine.finding import meant
from gvstore.machine.persister_hook import taken

if TYPE_CHECKING:
    from gvstore.machine.turn import Turn

OnEvery = int | Literal["step", "run"]


class SaverFault(UsageFault, ValueError):
    """A persister cannot be used as it was given."""


class Saver:
    """One application's persister."""

    def __init__(self, persister: Any, on_every: OnEvery) -> None:
        if isinstance(persister, type) or not callable(getattr(persister, "save", None)):
            raise SaverFault(f"{persister!r} is no persister: it {why_none(persister, 'save')}", hint="Give an instance of a BaseStatePersister.")
        self.persister, self.every = persister, _checked(on_every)
        self.is_async = is_awaited(persister)
        self._takes = taken(persister)
        self._writer = object()  # two applications of one name, at once, do not get into each other's lineages
        self._left: Turn | None = None  # the last step that was not saved

    def step(self, turn: Turn) -> None:
        """Saves a step, if it is its time."""
        if self._is_due(turn):
            self.persister.save(*self._step(turn), **self._more(turn))

    async def astep(self, turn: Turn) -> None:
        """Saves a step, if it is its time; with a persister of either kind."""
        if self._is_due(turn):
            done = self.persister.save(*self._step(turn), **self._more(turn))
            if inspect.isawaitable(done):
                await done

    def rest(self) -> None:
        """Saves the last step of a call, if it was not."""
        turn, self._left = self._left, None
        if turn is not None:
            self.persister.save(*self._step(turn), **self._more(turn))

    async def arest(self) -> None:
        """Saves the last step of a call, if it was not; with a persister of either kind."""
        turn, self._left = self._left, None
        if turn is not None:
            done = self.persister.save(*self._step(turn), **self._more(turn))
            if inspect.isawaitable(done):
                await done

    def _is_due(self, turn: Turn) -> bool:
        every = self.every
        due = every == "step" or (turn.status == "failed") or (every != "run" and (turn.number + 1) % every == 0)
        self._left = None if due else turn
        return due

    def _step(self, turn: Turn) -> tuple[Any, ...]:
        app, answer = turn.app, turn.answer
        state = app._state if answer is None else answer[2]  # of a failed step the state before it, as it was come to
        return app._partition_key, app._uid, turn.number, turn.name, state, turn.status

    def _more(self, turn: Turn) -> dict[str, Any]:
        found = {
            "inputs": turn.inputs,
            "result": None if turn.answer is None else turn.answer[1],
            "exception": turn.error,
            "parent": turn.app._parent_pointer,
            "writer": self._writer,
        }
        return {name: value for name, value in found.items() if name in self._takes}


def why_none(given: object, method: str) -> str:
    """Returns why something is no persister, for a message."""
    return "is a class, not an instance" if isinstance(given, type) else f"has no {method}()"


def is_awaited(persister: Any) -> bool:
    """Returns whether a persister, or a loader alone, is to be awaited."""
    asked = getattr(persister, "is_async", None)
    return bool(asked()) if callable(asked) else bool(asked)


def _checked(on_every: Any) -> OnEvery:
    if isinstance(on_every, int) and not isinstance(on_every, bool):
        if on_every >= 1:
            return on_every
        raise SaverFault(f"on_every is at least 1, not {on_every}", hint='Type on_every="step", on_every=10 or on_every="run".')
    if on_every not in ("step", "run"):
        near = meant(on_every, ("step", "run"), "") if isinstance(on_every, str) else ""
        raise SaverFault(
            f"on_every is a number of steps, 'step' or 'run', not {on_every!r}", hint=near or 'Type on_every="step", on_every=10 or on_every="run".'
        )
    return "step" if on_every == "step" else "run"
