"""What can go wrong while recording, replaying and reading executions."""

from __future__ import annotations

from gvstore.errors import BadRev, ComponentRaised, GvError, UsageFault


class InvocationError(GvError):
    """A call that cannot be recorded or replayed as asked."""

    exit_code = 2


class ReplayError(GvError):
    """A strict replay left the record: what was expected, what came, at which call."""

    exit_code = 1
    hint = "Without --strict (in Python: strict=False) what matches is reused and the rest runs."


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
