"""The entry point `gv`: from argv to an exit status.

`gv --version` answers here, before click is imported: scripts ask for it often.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from typing import NoReturn

from gvstore.version import __version__

_USUAL = gc.get_threshold()
_RARELY = 100_000  # objects made between two looks for garbage


def main() -> NoReturn:
    """Runs the command line of this process and leaves with its exit status.

    What a short command makes is hardly ever garbage: looking for it, and
    taking everything apart at the end, took a fifth of the time of `gv log`.
    """
    gc.set_threshold(_RARELY)
    status = run(sys.argv[1:])
    if gc.get_threshold() == _USUAL:  # a program of the user's ran: it may have left something to do
        sys.exit(status)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # nobody reads it any more
            status = status or 141
    os._exit(status)


def collect_as_usual() -> None:
    """Lets the collector of garbage work as Python has it: a program of the user's is about to run."""
    gc.set_threshold(*_USUAL)


def run(arguments: list[str]) -> int:
    """Returns the exit status of `gv ARGUMENTS`; writes to this process's stdout and stderr."""
    if arguments == ["--version"]:
        with contextlib.suppress(OSError):  # told below, as of every command
            sys.stdout.write(f"gv {__version__}\n")
            sys.stdout.flush()
            return 0

    if arguments[:1] == ["complete-words"]:  # at each press of Tab
        from gvstore.cli.complete import run_complete

        return run_complete(arguments[1:])

    from gvstore.cli.program import run_program

    return run_program(arguments)
