"""Actions that need no code: Result, Input, Placeholder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gvstore.machine.action_class import Action, SingleStepAction
from gvstore.machine.action_fault import ActionFault
from gvstore.machine.state import State


class Result(Action):
    """An action whose result is fields of the state: Result("a", "b"), or Result(["a", "b"]).  It writes nothing."""

    def __init__(self, *fields: str | Iterable[str]) -> None:
        """Takes names of fields.  Raises ActionFault where one is no name."""
        self._fields = _names("Result", fields)

    @property
    def reads(self) -> list[str]:
        """The fields."""
        return list(self._fields)

    @property
    def writes(self) -> list[str]:
        """None."""
        return []

    @property
    def bound(self) -> dict[str, Any]:
        """The fields."""
        return {"fields": self.reads}

    def run(self, state: State[Any], **run_kwargs: Any) -> dict[str, Any]:
        """Returns the fields.  Raises MissingField."""
        return {name: state[name] for name in self._fields}

    def update(self, result: dict[str, Any], state: State[Any]) -> State[Any]:
        """Returns the state as it is."""
        return state


class Input(Action):
    """An action that writes inputs into the state under their names: Input("prompt"), or Input(["prompt"])."""

    def __init__(self, *fields: str | Iterable[str]) -> None:
        """Takes names of fields.  Raises ActionFault where one is no name."""
        self._fields = _names("Input", fields)

    @property
    def reads(self) -> list[str]:
        """None."""
        return []

    @property
    def writes(self) -> list[str]:
        """The fields."""
        return list(self._fields)

    @property
    def inputs(self) -> list[str]:
        """The fields."""
        return list(self._fields)

    @property
    def bound(self) -> dict[str, Any]:
        """The fields."""
        return {"fields": self.writes}

    def run(self, state: State[Any], **run_kwargs: Any) -> dict[str, Any]:
        """Returns the inputs."""
        return {name: run_kwargs[name] for name in self._fields}

    def update(self, result: dict[str, Any], state: State[Any]) -> State[Any]:
        """Returns the state with the inputs in it."""
        return state.update(**result)


class Placeholder(SingleStepAction):
    """An action that is still to be written: a machine can be built, looked at and drawn with it, not run past it."""

    def __init__(self, reads: Iterable[str], writes: Iterable[str], tags: Iterable[str] = ()) -> None:
        """Takes what it will read and write.  Raises ActionFault where one is no name."""
        self._reads, self._writes, self._tags = _names("Placeholder", [reads]), _names("Placeholder", [writes]), list(tags)

    @property
    def reads(self) -> list[str]:
        """What it will read."""
        return list(self._reads)

    @property
    def writes(self) -> list[str]:
        """What it will write."""
        return list(self._writes)

    @property
    def tags(self) -> list[str]:
        """Words by which several actions can be meant at once."""
        return list(self._tags)

    @property
    def bound(self) -> dict[str, Any]:
        """What it will read and write."""
        return {"reads": self.reads, "writes": self.writes}

    def run_and_update(self, state: State[Any], **run_kwargs: Any) -> Any:
        """Raises NotImplementedError."""
        raise self._unwritten()

    def run(self, state: State[Any], *args: Any, **run_kwargs: Any) -> Any:
        """Raises NotImplementedError."""
        raise self._unwritten()

    def update(self, result: dict[str, Any], state: State[Any]) -> State[Any]:
        """Raises NotImplementedError."""
        raise self._unwritten()

    def _unwritten(self) -> NotImplementedError:
        return NotImplementedError(f"action {self.name or 'Placeholder'} is a placeholder: write it before you run the machine past it")


def _names(what: str, given: Iterable[str | Iterable[str]]) -> tuple[str, ...]:
    flat: list[Any] = []
    for each in given:
        flat.extend([each] if isinstance(each, str) or not isinstance(each, Iterable) else each)
    for name in flat:
        if not isinstance(name, str):
            raise ActionFault(f"{what} takes names of fields, not {name!r}", hint=f'Type {what}("field").')
        if name.startswith("__"):
            raise ActionFault(f"{what}: {name!r}: names that begin with a double underscore are the machine's own")
    return tuple(dict.fromkeys(flat))
