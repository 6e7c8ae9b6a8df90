"""What can go wrong while recording, replaying and reading executions.

UsageFault
└── BadArguments
BadRev
├── NoSuchCall, NoSuchComponent, BadTarget
└── NotOpen                      an answer to a question that nobody asks
ComponentRaised
└── TargetRaised
GvError
├── FrameworkError               recording itself failed
│   └── InvocationBuildFailure
└── InvocationError              a call that cannot be recorded or replayed as asked
    ├── ReplayError, CallLimitReached, BudgetSpent, CheckStopped, InputChanged, IncompleteSubinvocationError
    ├── InvokableTypeError       also a TypeError
    └── InputRequestOutsideInvocation, RequestedTypeUndetermined
"""

from __future__ import annotations

from gvstore.errors import BadRev, ComponentRaised, GvError, UsageFault


class InvocationError(GvError):
    """A call that cannot be recorded or replayed as asked."""

    exit_code = 2


class FrameworkError(GvError):
    """Recording itself failed, whatever the program did."""


class InvocationBuildFailure(FrameworkError):
    """A call cannot be put together from what it is said to consist of."""


class InputChanged(InvocationError):
    """A call changed one of its arguments, where enact's contract forbids it: under `invoke`, not under `run`."""

    hint = "Change a copy, or record with gv.run, which notes what was changed."


class IncompleteSubinvocationError(InvocationError):
    """A call ended while a task that it began was still running."""

    hint = "Await every task, or cancel it, before the call returns."


class InvokableTypeError(InvocationError, TypeError):
    """A value that is not of the type that was asked for: an input, an output, an answer."""


class InputRequestOutsideInvocation(InvocationError):
    """A question where nothing is being recorded, so that nobody could answer it later."""

    hint = "Call it inside gv.run, gv.invoke or an InvocationGenerator."


class RequestedTypeUndetermined(InvocationError):
    """A question for a type that cannot be described, so that no answer could be checked."""

    hint = "Ask for a class, None, or a list, dict, union or Literal of them."


class NotOpen(BadRev):
    """An answer to a call that asks nothing, or has been answered."""

    hint = "`gv inbox` lists the open questions."


class ReplayError(InvocationError):
    """A strict replay left the record: what was expected, what came, at which call."""

    exit_code = 1
    hint = "Without --strict (in Python: strict=False) what matches is reused and the rest runs."


class CallLimitReached(InvocationError):
    """A replay stopped where it would have executed one call more than was allowed; the run is kept."""

    exit_code = 1
    hint = "The run is kept: replay it, and it goes on from there."

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"stopped before executing more than {limit} call{'s'[: limit != 1]}")


class BudgetSpent(InvocationError):
    """A replay stopped where it would have executed a call more than its budget allows; the run is kept."""

    exit_code = 1
    hint = CallLimitReached.hint

    def __init__(self, budget: str) -> None:
        super().__init__(f"stopped before executing more: the budget of {budget} is spent")


class CheckStopped(InvocationError):
    """A check came to a call that is not on record, or that it cannot follow."""

    exit_code = 1


class StoppedByLimit(BaseException):
    """Ends the program of a replay that reached its limit, or of a check, past every `except Exception`; never leaves the replay."""


def is_stop(error: BaseException | None) -> bool:
    """Returns whether an exception, or one of a group, is what ends a program at its limit."""
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup(StoppedByLimit) is not None
    return isinstance(error, StoppedByLimit)


class NoSuchCall(BadRev):
    """A call path that names no call of the run."""


class NoSuchComponent(BadRev):
    """A component that is not registered, or no longer exists."""


class BadTarget(BadRev):
    """A target of `gv run` that names no function."""


class TargetRaised(ComponentRaised):
    """The program raised while it was imported."""


class BadArguments(UsageFault):
    """Arguments that do not fit the component's signature."""


class RecordedError(Exception):
    """Stands for a recorded exception whose class is not loaded; the text is the recorded one's."""

    __gv_native__ = True  # counts as a NativeException
    stored_type: str = ""  # `module:name` of the class

    @property
    def type_name(self) -> str:
        """The name of the class that is not loaded."""
        return str(self).partition(": ")[0]

    @property
    def str_representation(self) -> str:
        """What the exception said."""
        return str(self).partition(": ")[2]

    @property
    def traceback(self) -> str:
        """Nothing: it is not recorded with the exception."""
        return ""
