"""Effects: calls that must not happen twice.

`effect="once"`: it sends mail, it pays.  Its beginning is in the journal before
it is executed, so a record of it without an answer means that it may have
happened.  A replay that would execute it again stops there instead: the call
waits, as one that asks a question does, for somebody to say what it returned,
or for a replay that is allowed to execute it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gvstore.journal.raised import ExceptionResource

if TYPE_CHECKING:
    from gvstore.journal.answers import Answer
    from gvstore.journal.frame import Frame


@dataclass(eq=False, repr=False)
class EffectHeld(ExceptionResource):
    """A call that must not happen twice is recorded without an answer: a replay does not execute it again."""

    component: str
    why: str

    def waiting_for(self) -> tuple[Any, Any, Any]:
        """Returns what a record holds of it: an answer of any type is asked for."""
        return object, None, str(self)

    def __str__(self) -> str:
        return f"{self.component} must not be executed twice, and {self.why}: tell what it returned, or allow effects (--effects)"


def hold(frame: Frame, answer: Answer) -> None:
    """Returns if a recorded call that has begun may be executed now.

    Raises:
        EffectHeld: it must come once, and was begun before; the call waits.
    """
    from gvstore.journal.ending import end_raised

    if not answer.held:
        return
    error = EffectHeld(frame.live.qualname, answer.held)
    frame.ended = True
    end_raised(frame, error)
    raise error
