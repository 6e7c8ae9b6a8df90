"""Whether a recorded answer still holds for the code of today, and if not, why.

    Fresh      the code does what it did
    Stale      it does not: `reason` says what kind of change, `diff` shows it
    Unknown    on one side no source was found, so nothing can be said

Today the definition's own code decides; what it reaches, the files it read and
the libraries' versions are further reasons to come (issue 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gvstore.compare.text import TextDiff, diff_lines


class Code(Protocol):
    """One version of a component's code: a live `CodeIdentity`, or a component as it was recorded."""

    @property
    def name(self) -> str: ...

    @property
    def source(self) -> str: ...

    @property
    def text(self) -> bytes: ...

    @property
    def own(self) -> bytes: ...


class Reason(StrEnum):
    """What changed."""

    OWN = "own"


@dataclass(frozen=True, slots=True)
class Fresh:
    """Nothing that could change an answer; `rewritten` tells that the text did all the same (comments, layout)."""

    rewritten: bool = False


@dataclass(frozen=True, slots=True)
class Stale:
    """The code changed."""

    reason: Reason
    name: str
    old: str
    new: str

    @property
    def diff(self) -> TextDiff:
        """The change of the definition's text, by lines."""
        return diff_lines(self.old, self.new)

    def __str__(self) -> str:
        return f"{self.name} changed"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing can be said: no source was found `where`, "then" or "now"."""

    name: str
    where: str

    def __str__(self) -> str:
        return f"the code of {self.name} is not known {_WHERE[self.where]}"


_WHERE = {"then": "as it was recorded", "now": "as it is now"}

Verdict = Fresh | Stale | Unknown


def compare_code(recorded: Code, current: Code) -> Verdict:
    """Returns whether what `recorded` answered can be expected of `current`.

    Names are not compared: a component that was renamed and does the same is fresh.
    """
    if not recorded.own or not current.own:
        return Unknown(current.name, "now" if recorded.own else "then")
    if recorded.own == current.own:
        return Fresh(rewritten=recorded.text != current.text)
    return Stale(Reason.OWN, current.name, recorded.source, current.source)
