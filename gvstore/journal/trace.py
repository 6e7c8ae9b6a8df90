"""Tracebacks as a user reads them: from their own lines on, without those of gvstore that called them."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import Final

_OWN: Final = f"{Path(__file__).parents[1]}{os.sep}"  # the package


def trace_of(error: BaseException | None) -> str:
    """Returns the traceback of an exception as text, ending in a newline: without frames of gvstore, the last of all if there are no others.

    What led to the exception, its cause and context, is left out; the exceptions of a group are not.  Of None it is empty.
    """
    if error is None:
        return ""
    found = traceback.TracebackException.from_exception(error)
    _trim(found)
    return "".join(found.format(chain=False))


def _trim(found: traceback.TracebackException) -> None:
    own = [each for each in found.stack if not (each.filename.startswith(_OWN) or each.filename.startswith("<frozen"))]
    last = [] if getattr(found, "filename", None) else found.stack[-1:]  # an error of syntax says itself where it is
    found.stack = traceback.StackSummary.from_list(own or last)
    for each in found.exceptions or ():
        _trim(each)
