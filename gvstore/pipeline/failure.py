"""How a step can fail, and which failures are tried again or passed over.

    ComponentRaised
    └── StepTimedOut    one attempt took longer than `timeout:` allows
"""

from __future__ import annotations

from gvstore.errors import ComponentRaised, Corrupt, GvError, UsageFault
from gvstore.journal.fault import InvocationError, is_stop
from gvstore.journal.recorder import question_in


class StepTimedOut(ComponentRaised):
    """An attempt of a step took too long."""

    def __init__(self, step: str, seconds: float) -> None:
        self.step, self.seconds = step, seconds
        super().__init__(f"{step} took longer than {seconds:g} s", hint="Raise timeout: of the step, or give it retry:.")


def kinds_of(error: BaseException) -> frozenset[str]:
    """Returns as what `retry: {on: [...]}` knows a failure: model, timeout, schema, error; nothing for what ends the run.

    A question, a limit, a fault of usage and one of the store are no failures of the step.
    """
    from gvstore.models.failure import AnswerUnfit, EndpointTimedOut
    from gvstore.models.fault import ModelFailed

    if not isinstance(error, Exception) or is_stop(error) or question_in(error) is not None:
        return frozenset()
    match error:
        case StepTimedOut():
            return frozenset({"timeout"})
        case AnswerUnfit():
            return frozenset({"schema"})
        case EndpointTimedOut():
            return frozenset({"timeout", "model"})
        case ModelFailed():
            return frozenset({"model"})
        case UsageFault() | InvocationError() | Corrupt():
            return frozenset()
        case GvError() if error.exit_code in (10, 11, 70):
            return frozenset()
    return frozenset({"error"})


def told(error: BaseException) -> str:
    """Returns a failure on one line."""
    text = str(error).partition("\n")[0]
    return text if isinstance(error, GvError) or question_in(error) is not None else f"{type(error).__name__}{': ' if text else ''}{text}"
