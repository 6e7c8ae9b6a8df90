"""What can go wrong with an action, where it is declared and where it runs.

    UsageFault
    └── ActionFault         (ValueError)  what is declared, given or returned cannot be meant
        ├── UndeclaredRead      a key that the action does not declare as read
        ├── UndeclaredWrite     a key that it does not declare as written
        ├── MissingWrites       keys that it declares and did not write
        ├── MissingInputs       inputs that it must be given
        ├── WrongReturn         what it returned, or yielded, is no result and state
        ├── WrongType           (TypeError)  a field is not of the type declared for it
        └── AsyncAction         an async action where nothing can be awaited
    ComponentRaised
    └── ActionTimeout       (TimeoutError)  it took too long
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gvstore.errors import ComponentRaised, UsageFault
from gvstore.machine.finding import near

RETURNS = "Return the new state, state.update(key=value), or the result as well: {...}, state.update(key=value)."
YIELDS = "Yield (result, None) for each item and (result, state.update(...)) at the end."
_SHOWN = 60  # characters of a value that a message shows


def shown(value: object) -> str:
    """Returns a value and its type, short, for a message."""
    if value is None:
        return "None"
    text = repr(value)
    kind = "State" if text.startswith("State(") else type(value).__name__
    return f"{kind} ({text if len(text) <= _SHOWN else text[: _SHOWN - 3] + '...'})"


def listed(names: Iterable[str]) -> str:
    """Returns names as a list that could be typed."""
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


class ActionFault(UsageFault, ValueError):
    """An action cannot be declared, or did what it may not."""


class UndeclaredRead(ActionFault):
    """An action reads a key that it does not declare."""

    def __init__(self, action: str, key: str, reads: Sequence[str]) -> None:
        self.action, self.key, self.reads = action, key, tuple(reads)
        meant = near(key, reads)
        hint = f"Did you mean {' or '.join(meant)}? Otherwise declare" if meant else "Declare"
        super().__init__(
            f"action {action} reads {key!r}, which it does not declare: it reads {listed(reads)}",
            hint=_private(key) or f"{hint} it: reads={listed([*reads, key])}.",
        )


class UndeclaredWrite(ActionFault):
    """An action writes, or wipes, keys that it does not declare."""

    def __init__(self, action: str, keys: Sequence[str], writes: Sequence[str], verb: str = "write to") -> None:
        self.action, self.keys, self.writes = action, tuple(keys), tuple(writes)
        meant = near(keys[0], writes)
        hint = f"Did you mean {' or '.join(meant)}? Otherwise declare" if meant else "Declare"
        told = ", ".join(map(repr, keys))
        super().__init__(
            f"action {action} attempted to {verb} {told}, which it does not declare: it writes {listed(writes)}",
            hint=_private(keys[0]) or f"{hint} it: writes={listed([*writes, *keys])}.",
        )


class MissingWrites(ActionFault):
    """An action did not write what it declares."""

    def __init__(self, action: str, keys: Sequence[str], written: Iterable[str]) -> None:
        self.action, self.keys = action, tuple(keys)
        has = list(written)
        told = ", ".join(map(repr, keys))
        super().__init__(
            f"action {action} declares that it writes {told}, and did not; it wrote {listed(has) if has else 'nothing'}",
            hint=f"Return state.update({keys[0]}=...), or take it out of `writes`.",
        )


class MissingInputs(ActionFault):
    """An action was not given all inputs that it needs."""

    def __init__(self, action: str, missing: Sequence[str], given: Iterable[str], signature: str) -> None:
        self.action, self.missing = action, tuple(missing)
        has = [name for name in given if not name.startswith("__")]
        first = missing[0]
        meant = near(first, has)
        if first.startswith("__"):
            hint = f"{first} is given by an application: run the action in one."
        elif first == "self":
            hint = "It is a method: bind its instance, .bind(self=...), or derive a class from Action."
        elif meant:
            hint = f"{first} or {meant[0]}: give it under the name that the action has for it."
        else:
            hint = f'Give it with the run, inputs={{"{first}": ...}}, or for good: .bind({first}=...).'
        super().__init__(
            f"action {action} is missing required inputs: {', '.join(missing)}; "
            f"given: {', '.join(has) or 'none'}; its signature: {signature}",
            hint=hint,
        )


class WrongReturn(ActionFault):
    """An action returned, or yielded, what is no result and no state."""

    def __init__(self, action: str, what: str, hint: str = RETURNS) -> None:
        self.action = action
        super().__init__(f"action {action} {what}", hint=hint)


class WrongType(ActionFault, TypeError):
    """A field that an action reads or writes is not of the type that it declares; `problem` tells where, what was expected, what came."""

    def __init__(self, problem: str, *, reads: bool) -> None:
        self.problem = problem
        hint = "Write what is declared, or declare what is written" if not reads else "Look at who wrote it, or declare what it is"
        super().__init__(problem, hint=f'{hint}: {"reads" if reads else "writes"}={{"key": type}}.')


class AsyncAction(ActionFault):
    """An async action was come to where nothing can be awaited."""

    hint = "Run the application with arun(), aiterate(), astep() or astream_result(), or write the action without async."

    def __init__(self, action: str, what: str = "is async, and this run is not", hint: str | None = None) -> None:
        self.action = action
        super().__init__(f"action {action} {what}", hint=hint)


class ActionTimeout(ComponentRaised, TimeoutError):
    """An action took longer than its timeout."""

    hint = "Raise timeout= of the action, add retry=, or lead on with on_error(TimeoutError)."

    def __init__(self, action: str, seconds: float) -> None:
        self.action, self.seconds = action, seconds
        super().__init__(f"action {action} took longer than its timeout of {seconds:g} s")


def _private(key: str) -> str:
    return "Names that begin with a double underscore are the machine's own." if key.startswith("__") else ""
