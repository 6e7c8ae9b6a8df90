"""How a step can fail, and which failures are tried again or passed over.

    ComponentRaised
    └── StepTimedOut    one attempt took longer than `timeout:` allows
    ExpressionFault
    └── WhenFault       a condition cannot be evaluated
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gvstore.errors import ComponentRaised, Corrupt, GvError, UsageFault
from gvstore.expression.bound import ExpressionFault
from gvstore.journal.fault import InvocationError, RecordedError, is_stop
from gvstore.journal.recorder import question_in

if TYPE_CHECKING:
    from gvstore.pipeline.step import Step


class WhenFault(ExpressionFault):
    """`when:` of a step cannot be evaluated over the results that there are."""

    def __init__(self, step: Step, fault: ExpressionFault) -> None:
        hint = "Results are texts: `int(score) > 3` compares a number, `'yes' in approve` looks for a word."
        super().__init__(fault.source, fault.why, hint=fault.hint or hint)
        self.args = (f"{step.place}: when of {step.name}: {fault}",)


class StepTimedOut(ComponentRaised):
    """An attempt of a step took too long."""

    def __init__(self, step: str, seconds: float) -> None:
        self.step, self.seconds = step, seconds
        super().__init__(f"{step} took longer than {seconds:g} s", hint="Raise timeout: of the step, or give it retry:.")


def kinds_of(error: BaseException) -> frozenset[str]:
    """Returns as what `retry: {on: [...]}` knows a failure: model, timeout, schema, error; nothing for what ends the run.

    A question, a limit, a fault of usage and one of the store are no failures of the step.  One out of a record whose
    class was not loaded there is known by the name of its class.
    """
    from gvstore.models import failure as of_models
    from gvstore.models.fault import ModelFailed

    if not isinstance(error, Exception) or is_stop(error) or question_in(error) is not None:
        return frozenset()
    kind = type(error)
    if isinstance(error, RecordedError):
        module, _, name = error.stored_type.partition(":")
        kind = getattr(of_models, name, kind) if module == of_models.__name__ else kind
    for each, kinds in (
        (StepTimedOut, {"timeout"}),
        (of_models.AnswerUnfit, {"schema"}),
        (of_models.EndpointTimedOut, {"timeout", "model"}),
        (ModelFailed, {"model"}),
        ((UsageFault, InvocationError, Corrupt), set[str]()),
    ):
        if issubclass(kind, each):
            return frozenset(kinds)
    return frozenset() if issubclass(kind, GvError) and kind.exit_code in (10, 11, 70) else frozenset({"error"})


def told(error: BaseException) -> str:
    """Returns a failure on one line."""
    text = str(error).partition("\n")[0]
    return text if isinstance(error, GvError) or question_in(error) is not None else f"{type(error).__name__}{': ' if text else ''}{text}"
