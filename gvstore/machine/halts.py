"""Where a run stops: names of actions, `@tag:name`, and `@all:` before either.

    halt_after=["answer", "@tag:end"]      as soon as one of them ran
    until=all_of("left", "right")          as soon as each of them ran
    halt_before=["ask"]                    when it would be next
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gvstore.errors import UsageFault
from gvstore.machine.application_fault import MachineWarning
from gvstore.machine.finding import MachineFault
from gvstore.machine.node import name_of
from gvstore.machine.validate import TAG, find_halts, reachable

if TYPE_CHECKING:
    from gvstore.machine.application_graph import ApplicationGraph

ALL = "@all:"


class HaltFault(UsageFault, ValueError):
    """What was given as a halt says nothing, or two things."""


def all_of(*names: str) -> list[str]:
    """Returns halts that stop a run when all of these actions, or one of each tag, have run."""
    return [name if name.startswith(ALL) else f"{ALL}{name}" for name in named(names, "all_of")]


def named(given: str | Iterable[str] | None, what: str) -> tuple[str, ...]:
    """Returns halts as they were given: one name, or several.

    Raises:
        HaltFault: something else was given.
    """
    if given is None:
        return ()
    if isinstance(given, str):
        return (given,)
    names = tuple(given) if isinstance(given, Iterable) else (given,)
    for name in names:
        if not isinstance(name, str):
            called = getattr(name, "name", None) or getattr(name, "__name__", None)
            raise HaltFault(
                f"{what} takes names of actions, not {name!r}", hint=f'Type {what}=["{called or "name"}"].'
            )
    return names


class Halts:
    """Where one run stops; it remembers which of `@all:` ran."""

    __slots__ = ("_left", "after", "before")

    def __init__(self, graph: ApplicationGraph, before: Sequence[str], after: Sequence[str]) -> None:
        self.before = frozenset(name for halt in before for name in _actions(graph, halt))
        self.after = frozenset(name for halt in after if not halt.startswith(ALL) for name in _actions(graph, halt))
        self._left = [frozenset(_actions(graph, halt.removeprefix(ALL))) for halt in after if halt.startswith(ALL)]

    def stops_after(self, name: str) -> bool:
        """Returns whether the run stops after this action, which ran just now."""
        if self._left:
            self._left = [names for names in self._left if name not in names]
            if not self._left:
                return True
        return name in self.after

    def would_stop_after(self, name: str) -> bool:
        """Returns whether the run stops after this action, which has not run yet."""
        return name in self.after or (bool(self._left) and all(name in names for names in self._left))


def check(graph: ApplicationGraph, position: str | None, before: Sequence[str], after: Sequence[str]) -> None:
    """Looks whether a run can stop where it is to stop; without any halt, whether it ends at all.

    Raises:
        MachineFault: a name is unknown, or nothing leads to any of them from the entrypoint or from here.
    """
    start = name_of(graph.entrypoint)
    edges = [(name_of(each.from_), name_of(each.to)) for each in graph.transitions]
    reached = reachable(start, edges) | (reachable(position, edges) if position is not None else set())
    if not before and not after:
        if all(any(each.condition.is_default for each in graph.transitions_from(name)) for name in reached):
            warnings.warn(
                "this run never ends by itself: every action has another after it. Type halt_after=[...] or max_steps=",
                MachineWarning,
                stacklevel=4,
            )
        return
    nodes = {name_of(action): action for action in graph.actions}
    findings = find_halts(nodes, reached, start, [halt.removeprefix(ALL) for halt in (*before, *after)])
    if any(finding.fatal for finding in findings):
        raise MachineFault(findings)
    for finding in findings:
        warnings.warn(str(finding), MachineWarning, stacklevel=4)


def _actions(graph: ApplicationGraph, halt: str) -> list[str]:
    if halt.startswith(TAG):
        return [name_of(action) for action in graph.get_actions_by_tag(halt.removeprefix(TAG))]
    return [name_of(graph.get_action(halt))]
