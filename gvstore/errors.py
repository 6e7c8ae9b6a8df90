"""The stems of one tree of errors; every room derives its own from them.

    GvError
    ├── UsageFault       2   what was typed cannot be meant
    ├── NoRepository    10   no repository, or one that this version cannot open
    ├── Conflict        11   something moved or is locked; nothing was written
    ├── BadRev          12   a rev, run, call, component or target names nothing, or several things
    ├── WouldLose       13   going on would overwrite or swallow something
    ├── Corrupt         14   bytes on disk are not what was written
    ├── RemoteFault     15   the other side failed
    ├── ComponentRaised 20   the user's component raised; its run is kept
    ├── Waiting         21   a run waits for input
    └── InternalFault   70   our bug

An error carries what a command needs to end well: `exit_code`, and a `hint`
that says what to type next.  Both stand on the class; an instance may carry a
better hint.  Callers' mistakes in Python are ValueError or TypeError.
"""

from __future__ import annotations


class GvError(Exception):
    """The root: catch this to catch everything gvstore raises on purpose."""

    exit_code: int = 70
    hint: str = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint


class GvWarning(UserWarning):
    """The root of what gvstore warns of: the program goes on, and the command line shows it as its own."""


class UsageFault(GvError):
    """What was typed cannot be meant."""

    exit_code = 2


class NoRepository(GvError):
    """No repository here, or one that this version cannot open."""

    exit_code = 10
    hint = "Run `gv init` to make one here."


class Conflict(GvError):
    """Something moved or is held by another process; nothing was written."""

    exit_code = 11
    hint = "Run the command again."


class BadRev(GvError):
    """A name that resolves to nothing, or to several things."""

    exit_code = 12


class WouldLose(GvError):
    """Going on would overwrite unsaved work, or swallow what should stay out."""

    exit_code = 13


class Corrupt(GvError):
    """Bytes on disk are not what was written."""

    exit_code = 14
    hint = "Run `gv fsck` to see what is damaged."


class RemoteFault(GvError):
    """The other side failed."""

    exit_code = 15


class ComponentRaised(GvError):
    """The user's component raised; its run is kept."""

    exit_code = 20


class Waiting(GvError):
    """A run waits for input."""

    exit_code = 21


class InternalFault(GvError):
    """Our bug."""

    exit_code = 70
    hint = "Please report it, with the output of the command."
