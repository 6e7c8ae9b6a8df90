"""A stretch of an action that a program traces, as hooks see it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class ActionSpan:
    """One span: of which step, under which parent, the how manieth there (from 0)."""

    action: str
    action_sequence_id: int
    name: str
    parent: ActionSpan | None = None
    sequence_id: int = 0
    child_count: int = 0

    @classmethod
    def create_initial(cls, action: str, name: str, sequence_id: int, action_sequence_id: int) -> ActionSpan:
        """Returns the span `sequence_id` of a step, below no other."""
        return cls(action, action_sequence_id, name, None, sequence_id)

    @property
    def uid(self) -> str:
        """Its name within the application: step, then the way down, as in `4:0.2`."""
        before = f"{self.action_sequence_id}:" if self.parent is None else f"{self.parent.uid}."
        return f"{before}{self.sequence_id}"

    def spawn(self, name: str) -> ActionSpan:
        """Returns a new span below this one."""
        made = ActionSpan(self.action, self.action_sequence_id, name, self, self.child_count)
        self.child_count += 1
        return made
