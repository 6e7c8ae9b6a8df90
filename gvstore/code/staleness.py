"""Whether a recorded answer still holds for the code of today, and if not, why.

    Fresh      the code does what it did
    Stale      it does not: `reason` says what kind of change, `diff` shows it
    Unknown    on one side no source was found, so nothing can be said

The definition's own code decides, and what it reaches.  Files that it read,
libraries' versions and what occurs in arguments are looked at by who has them
(`journal/drift.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from gvstore.compare.text import TextDiff, diff_lines

if TYPE_CHECKING:
    from gvstore.code.reach import Reached
    from gvstore.code.unit import Unit


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

    @property
    def reach(self) -> bytes: ...


class Reason(StrEnum):
    """What changed."""

    OWN = "own"
    REACH = "reach"


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
        return f"{self.name} changed" if self.reason is Reason.OWN else f"what {self.name} reaches, or closes over, changed"


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
    if recorded.own != current.own:
        return Stale(Reason.OWN, current.name, recorded.source, current.source)
    if recorded.reach != current.reach:
        return Stale(Reason.REACH, current.name, "", "")
    return Fresh(rewritten=recorded.text != current.text)


def changed_units(then: Reached, now: Reached) -> list[tuple[str, Unit | None, Unit | None]]:
    """Returns what differs of what a definition reached and reaches, nearest first: (name, then, now)."""
    before = {str(unit.key): unit for unit in then.units}
    after = {str(unit.key): unit for unit in now.units}
    found = []
    for name in dict.fromkeys([*after, *before]):
        old, new = before.get(name), after.get(name)
        if old is None or new is None or old.own != new.own:
            found.append((name, old, new))
    return sorted(found, key=lambda each: ((each[2] or each[1]).level, each[0]))  # type: ignore[union-attr]


def changed_docs(then: Reached, now: Reached) -> list[tuple[Unit | None, Unit | None]]:
    """Returns what had docstrings that count, or has, and has others than before; what came or went is left out."""
    before, after = (
        {"" if unit.level == 0 else str(unit.key): unit for unit in each.documented} for each in (then, now)
    )
    both = _met(then) & _met(now)
    pairs = [(before.get(name), after.get(name)) for name in dict.fromkeys([*after, *before]) if name in both]
    return [(old, new) for old, new in pairs if (old and old.docs) != (new and new.docs)]


def _met(found: Reached) -> set[str]:
    return {"", *[str(unit.key) for unit in found.units], *found.components}


def change_of_reach(name: str, then: Reached, now: Reached) -> tuple[str, str, str]:
    """Returns (`story.revise: helper tools.clean(), 2 levels down, changed`, its text then, its text now)."""
    changed = changed_units(then, now)
    both = [each for each in changed if each[1] is not None and each[2] is not None]
    for unit_name, old, new in both or changed:
        unit = new or old
        assert unit is not None
        what = "changed" if old is not None and new is not None else "is reached now" if old is None else "is gone"
        shown = unit_name.replace("=", "").replace(".<locals>.", ".") + ("()" if unit.is_callable else "")
        down = "" if unit.level == 1 else f", {unit.level} levels down,"
        why = f"{name}: {'helper ' if unit.is_callable else ''}{shown}{down} {what}"
        return why, "" if old is None else old.source, "" if new is None else new.source
    for old, new in changed_docs(then, now):
        unit = new or old
        assert unit is not None
        shown = str(unit.key).replace(".<locals>.", ".") + ("()" if unit.is_callable else "")
        why = f"{name}: {f'docstring of {shown}' if unit.level else 'its docstring'} changed"
        return why, "" if old is None else old.source, "" if new is None else new.source
    return f"what {name} reaches, or closes over, changed", "", ""
