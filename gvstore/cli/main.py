"""The entry point `gv`: from argv to an exit status.

`gv --version` answers here, before click is imported: scripts ask for it often.
"""

from __future__ import annotations

import sys
from typing import NoReturn

from gvstore.version import __version__


def main() -> NoReturn:
    """Runs the command line of this process and leaves with its exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Returns the exit status of `gv ARGUMENTS`; writes to this process's stdout and stderr."""
    if arguments == ["--version"]:
        sys.stdout.write(f"gv {__version__}\n")
        return 0

    from gvstore.cli.program import run_program

    return run_program(arguments)
