"""Shows a long answer in the user's pager.

The pager gets lines as they are made: `gv log` of a million commits shows its
first page at once, and stops reading history when the user quits.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress


def page(lines: Iterable[str], command: str) -> None:
    """Writes `lines` into `command`, run by the shell, and returns when it ends; quitting early is no error."""
    sys.stdout.flush()
    try:
        pager = subprocess.Popen(
            command, shell=True, stdin=subprocess.PIPE, encoding="utf-8", errors="backslashreplace"
        )
    except OSError:
        sys.stdout.writelines(line + "\n" for line in lines)
        return
    assert pager.stdin is not None
    try:
        pager.stdin.writelines(line + "\n" for line in lines)
    except BrokenPipeError:  # the user has seen enough
        pass
    finally:
        with suppress(BrokenPipeError):
            pager.stdin.close()
        _wait(pager)


def _wait(pager: subprocess.Popen[str]) -> None:
    """Returns when the pager ended; Ctrl-C is for the pager, not for us."""
    while True:
        try:
            pager.wait()
            return
        except KeyboardInterrupt:
            continue
