"""What is wrong with a machine: all of it at once, each with where it stands and what to type instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gvstore.errors import UsageFault


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    `kind` is a word for programs (`unknown-action`).  A finding that is not
    `fatal` is of a machine that can run: an action that nothing leads to.
    """

    kind: str
    what: str
    where: str
    remedy: str
    fatal: bool = True

    def __str__(self) -> str:
        place = f"\n     in {self.where}" if self.where else ""
        return f"{self.what}{place}\n     {self.remedy}"


class MachineFault(UsageFault, ValueError):
    """A machine can't be built; `findings` holds all that was found."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        count = len(self.findings)
        numbered = "".join(f"\n{number:3}. {finding}" for number, finding in enumerate(self.findings, 1))
        super().__init__(f"{count} {'finding' if count == 1 else 'findings'} in this machine:{numbered}")


def near(name: str, known: Iterable[str], *, cutoff: float = 0.55) -> list[str]:
    """Returns up to two known names that are about equally much like this one, the most like first."""
    found = difflib.get_close_matches(name, list(dict.fromkeys(known)), 2, cutoff)
    likeness = [difflib.SequenceMatcher(None, each, name).ratio() for each in found]
    return [each for each, ratio in zip(found, likeness, strict=True) if ratio > likeness[0] - 0.15]


def meant(name: str, known: Iterable[str], otherwise: str) -> str:
    """Returns "Did you mean ...?" where a name is near, else what to do instead."""
    found = near(name, known)
    return f"Did you mean {' or '.join(found)}?" if found else otherwise
