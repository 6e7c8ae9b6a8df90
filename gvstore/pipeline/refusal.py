"""What the built-in modules refuse: an answer out of bounds, a path out of the folder, a system that cannot hold a program.

    RemoteFault
    └── AnswerRefused     a model's answer is larger than what is read
    WouldLose
    ├── PathsRefused      an answer names files that may not be written: every one is told, none was written
    └── ChangedSince      what is to be taken back was changed meanwhile
    UsageFault
    └── SystemLacks       this system has not what keeps writes inside a folder, or a program within limits
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gvstore.errors import RemoteFault, UsageFault, WouldLose

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one path is not written; `kind` is one word of a fixed set (`working_path.KINDS`), `why` a sentence's end."""

    path: str
    kind: str
    why: str

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.why}"


class AnswerRefused(RemoteFault):
    """A model's answer is larger than what is read; nothing of it was looked at."""

    hint = "Set max_tokens in the step's model_config."

    def __init__(self, what: str, limit: int) -> None:
        self.what, self.limit = what, limit
        super().__init__(f"the model's answer has more than {limit:,} {what}")


class PathsRefused(WouldLose):
    """An answer names files that may not be written; none of the answer's files was written."""

    hint = "Nothing was touched. The answer is kept with the run; the step's prompt can ask for relative paths."

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        shown = "; ".join(str(each) for each in self.refusals[:_SHOWN])
        more = f"; and {len(self.refusals) - _SHOWN} more" if len(self.refusals) > _SHOWN else ""
        super().__init__(f"refused to write {shown}{more}")


class ChangedSince(WouldLose):
    """Files that are to be taken back hold something else now; nothing was taken back."""

    hint = "Move these files away first, or put them back by hand."

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = tuple(paths)
        shown = ", ".join(printable(each) for each in self.paths[:_SHOWN])
        more = f" and {len(self.paths) - _SHOWN} more" if len(self.paths) > _SHOWN else ""
        super().__init__(f"changed since they were written: {shown}{more}")


class SystemLacks(UsageFault):
    """This system has not what is needed."""

    hint = "Use Linux or macOS."

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"this system has no {what}")


def printable(text: str, *, most: int = 200) -> str:
    """Returns a text from a stranger as it can stand in a message: one line, nothing unseen, not without end."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    if cut and cut.isprintable() and cut == cut.strip():
        return cut
    return ascii(cut)
