"""What can go wrong with tasks that run in parallel, and what a branch that failed is where failures are kept.

    UsageFault
    └── ActionFault
        └── TaskFault       what a parallel action says of its tasks cannot be meant
    ExceptionGroup
    └── BranchesFailed      all that branches raised, where all were to end
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from gvstore.errors import ComponentRaised, GvError, UsageFault
from gvstore.journal.recorder import question_in
from gvstore.machine.action_fault import ActionFault
from gvstore.machine.finding import MachineFault
from gvstore.machine.state_fault import MissingField


class TaskFault(ActionFault):
    """A parallel action's tasks, or its limits, cannot be meant."""


class BranchesFailed(ExceptionGroup[Exception]):
    """What several branches raised, in the order of their tasks."""

    def derive(self, excs: Sequence[Exception]) -> Self:  # type: ignore[override]
        """Returns the same of some of them."""
        return type(self)(self.message, excs)


@dataclass(frozen=True, slots=True)
class BranchFailure:
    """A branch that failed, where `fail="keep"` hands failures to `reduce`: in the place of its state."""

    key: str
    error: Exception

    def __bool__(self) -> bool:
        return False


def is_to_keep(error: BaseException) -> bool:
    """Returns whether a failure is one that a program may expect: no mistake in it, no question, no end of a replay, no store that fails."""
    return not _is_above(error) and not isinstance(error, UsageFault)


def _is_above(error: BaseException) -> bool:
    if not isinstance(error, Exception) or question_in(error) is not None:
        return True
    return isinstance(error, GvError) and not isinstance(error, UsageFault | ComponentRaised)


def failure_of(errors: Sequence[tuple[str, BaseException]], action: str, count: int, fail: str) -> BaseException | None:
    """Returns what a step raises of whose branches these failed, in the order of the tasks; None: failures are kept.

    What no program expects is raised alone, and first.
    """
    if not errors:
        return None
    for key, error in errors:
        if not _is_above(error):
            _explain(key, error, action)
    if fail == "fast":
        return errors[0][1]
    alone = sorted((each for _, each in errors if not is_to_keep(each)), key=_is_above, reverse=True)
    if alone:
        return alone[0]
    if fail == "keep":
        return None
    return BranchesFailed(f"{len(errors)} of {count} branches of action {action} failed", [e for _, e in errors if isinstance(e, Exception)])


def _explain(key: str, error: BaseException, action: str) -> None:
    note = f"in branch {key} of action {action}"
    if isinstance(error, MissingField | MachineFault):
        note += ", which begins with the fields that this action reads and those that its task adds"
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
