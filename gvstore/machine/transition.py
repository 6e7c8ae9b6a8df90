"""A transition: from an action to the next, under a condition."""

from __future__ import annotations

from dataclasses import dataclass

from gvstore.machine.condition import Condition, ErrorCondition
from gvstore.machine.node import Node, name_of

ANY = "*"  # as a source: every action but the target


@dataclass(frozen=True, slots=True)
class Transition:
    """One edge.  Of an action's edges the first whose condition holds is taken."""

    from_: Node
    to: Node
    condition: Condition

    @property
    def on_error(self) -> ErrorCondition | None:
        """The condition, if it is one on what the action raised."""
        return self.condition if isinstance(self.condition, ErrorCondition) else None

    def __repr__(self) -> str:
        return f"{name_of(self.from_)} -> {name_of(self.to)} [{self.condition.name}]"
