"""Asks a program's questions at the terminal, while it waits.

    Should I reroll die #0?
      for 3
    str>

The question stands on stderr, the answer is a line of stdin.  Where stdin has
ended the question stays open, and the run waits for `gv answer`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gvstore.cli.value_text import value_block, value_line
from gvstore.errors import GvError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gvstore.cli.context import CommandContext
    from gvstore.journal.question import InputRequest
    from gvstore.journal.recorder import Asker


def terminal_asker(cx: CommandContext) -> Asker:
    """Returns what answers questions by asking whoever sits there."""
    folder = cx.folder

    def ask(request: InputRequest) -> object:
        from gvstore.journal.inbox import read_answer
        from gvstore.journal.requested import describe, type_text

        cx.output.detail("\n".join(_question(request)))
        while True:
            sys.stderr.write(f"{type_text(describe(request.requested_type))}> ")
            sys.stderr.flush()
            line = sys.stdin.readline()
            if not line:
                sys.stderr.write("\n")
                raise request
            try:
                return read_answer(line.rstrip("\r\n"), request, Path(folder))
            except GvError as e:
                cx.output.warning(str(e))

    return ask


def _question(request: InputRequest) -> Iterator[str]:
    if request.context is not None:
        yield from value_block(request.context)
    about = request.asked_about
    if about is not None:
        yield f"  for {value_line(about, 100)}"
