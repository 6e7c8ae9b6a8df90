"""Executions in a notebook: a tree that opens and closes, of which only so much is read as is shown.

What programs recorded is text here: everything is escaped, nothing is run.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

from gvstore.journal.summary import call_text

if TYPE_CHECKING:
    from gvstore.journal.invocation import Invocation
    from gvstore.journal.run import Run

_MOST_CALLS: Final = 200  # of a tree
_MOST_IN_ROW: Final = 30  # of one call
_STYLE: Final = "font-family: monospace; white-space: pre-wrap; margin-left: 1.2em"


def run_html(run: Run[Any]) -> str:
    """Returns a run's number, status and tree of calls."""
    head = f"<b>{escape(run.name)}</b> {escape(run.status)} · {escape(run.record.target)} · {run.calls:,} calls"
    root = "" if run.record.root is None else invocation_html(run.invocation)
    return f"<div>{head}{root}</div>"


def invocation_html(root: Invocation) -> str:
    """Returns a call and those below it, the outer ones open."""
    pieces: list[str] = []
    left = [_MOST_CALLS]
    _write(root, pieces, left, depth=0)
    return f'<div style="{_STYLE}">{"".join(pieces)}</div>'


def _write(call: Invocation, pieces: list[str], left: list[int], *, depth: int) -> None:
    left[0] -= 1
    line = escape(call_text(call))
    count = len(call)
    if not count:
        pieces.append(f"<div>{line}</div>")
        return
    shown = min(count, _MOST_IN_ROW, left[0]) if depth < 20 else 0
    pieces.append(f"<details{' open' if depth < 2 else ''}><summary>{line}</summary>")
    pieces.append('<div style="margin-left: 1.2em">')
    for _, child in zip(range(shown), call.get_children(), strict=False):
        if left[0] <= 0:
            break
        _write(child, pieces, left, depth=depth + 1)
    if shown < count:
        pieces.append(f"<div>… {count - shown:,} more of {count:,} calls</div>")
    pieces.append("</div></details>")
