"""Finding the commit from which on something is bad, by testing as few as can be: what git's bisect does.

Suspects are the commits that lead to the bad one and to no good one.  The one
to test next splits them best: half of them lead to it.  If it is good, all
that lead to it are good; if it is bad, it is the bad one from now on.  What
cannot be tested is skipped; where only such commits are left beside the bad
one, nobody can tell which it was.

    o--o--g--o--x--o--B      good g, bad B: three suspects and B; x is tested
           \\--o--o--/

The ends are believed, and tested only where the answer hangs on their word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from gvstore.errors import GvError
from gvstore.objects.oid import ObjectId, short
from gvstore.objects.protocol import ObjectReader
from gvstore.repo.history import Commits, ancestors, is_ancestor, log, merge_bases

_WEIGHED: Final = 4096  # of more suspects the one in the middle is tested: as good in a straight history


class Verdict(StrEnum):
    """What a test said of a commit."""

    GOOD = "good"
    BAD = "bad"
    SKIP = "skip"


class BadEnds(GvError):
    """A good commit that is bad, a bad one that is good, or two that cannot stand at the ends of a search."""

    exit_code = 1


class CommitSearch:
    """One search: ask `next`, test, tell `mark`, until there is no next; then `found` or `left`.

    Raises:
        BadEnds: a good commit does not come before the bad one, or is it.
    """

    def __init__(
        self, reader: ObjectReader, good: Iterable[ObjectId], bad: ObjectId, names: Mapping[ObjectId, str] | None = None
    ) -> None:
        """Begins a search; `names` are what commits are called in messages, where not by their oids."""
        self._reader, self._commits, self._names = reader, Commits(reader), names or {}
        self.bad = bad
        self._good = list(dict.fromkeys(good))
        self.verdicts: dict[ObjectId, Verdict] = {}
        self._bases = list(self._bases_to_test())
        # From the oldest to the newest: parents stand before their children.
        self._suspects = [entry.oid for entry in log(reader, [bad], without=self._good)][::-1]

    def _bases_to_test(self) -> Iterable[ObjectId]:
        """Yields where good commits that do not lead to the bad one left its history: these must be good, too."""
        for good in self._good:
            if good == self.bad:
                raise BadEnds(f"{self._name(good)} is given as good and as bad", hint="Name an older commit with --good.")
            if is_ancestor(self._reader, good, self.bad):
                continue
            if is_ancestor(self._reader, self.bad, good):
                raise BadEnds(
                    f"the good commit {self._name(good)} comes after the bad one, {self._name(self.bad)}",
                    hint="What is searched for is the first bad commit: exchange --good and --bad.",
                )
            bases = merge_bases(self._reader, good, self.bad)
            if not bases:
                raise BadEnds(f"{self._name(good)} and {self._name(self.bad)} have no commit in common")
            yield from bases

    def _name(self, oid: ObjectId) -> str:
        return self._names[oid][:8] if oid in self._names else short(oid)

    @property
    def suspects(self) -> int:
        """How many commits it may be, those of which is known that they are bad included."""
        return len(self._suspects)

    @property
    def steps(self) -> int:
        """About how many more tests there will be."""
        return (max(1, len(self._suspects)) - 1).bit_length()

    def next(self) -> ObjectId | None:
        """Returns the commit to test next, or None when nothing more can be found out."""
        for base in self._bases:
            if base not in self.verdicts:
                return base
        open_ones = [oid for oid in self._suspects if oid != self.bad and oid not in self.verdicts]
        if open_ones:
            return self._halving(open_ones)
        if len(self._suspects) > 1:  # only skipped ones are left beside the bad one
            return None
        return next((end for end in self._ends() if end not in self.verdicts), None)

    def _halving(self, open_ones: list[ObjectId]) -> ObjectId:
        """Returns the commit that the number of those that lead to it is nearest to half of."""
        count = len(self._suspects)
        if count > _WEIGHED:
            return open_ones[len(open_ones) // 2]
        numbers = {oid: n for n, oid in enumerate(self._suspects)}
        reach: dict[ObjectId, int] = {}
        for oid in self._suspects:
            bits = 1 << numbers[oid]
            for parent in self._commits[oid].parents:
                bits |= reach.get(parent, 0)
            reach[oid] = bits
        return max(open_ones, key=lambda oid: min(reach[oid].bit_count(), count - reach[oid].bit_count()))

    def _ends(self) -> list[ObjectId]:
        """Returns the ends that the answer hangs on: the bad one if nothing before it was bad, the good ones just before it."""
        return [self.bad, *(parent for parent in self._commits[self.bad].parents if parent in self._good)]

    def mark(self, oid: ObjectId, verdict: Verdict) -> None:
        """Notes what a test said.

        Raises:
            BadEnds: it is one of the ends, or where they part, and is not what it was said to be.
        """
        self.verdicts[oid] = verdict
        if verdict is Verdict.SKIP:
            return
        if oid in self._good or oid in self._bases:
            if verdict is Verdict.BAD:
                raise self._wrong_good(oid)
        elif oid == self.bad and verdict is Verdict.GOOD:
            raise BadEnds(
                f"the bad commit {self._name(oid)} is good, and so is all that was tested before it",
                hint="Is the test the right one? Try it on that commit.",
            )
        elif oid != self.bad:
            led = set(ancestors(self._reader, oid))
            self._suspects = [each for each in self._suspects if (each in led) is (verdict is Verdict.BAD)]
            if verdict is Verdict.BAD:
                self.bad = oid

    def _wrong_good(self, oid: ObjectId) -> BadEnds:
        if oid in self._good:
            return BadEnds(
                f"the good commit {self._name(oid)} is bad itself",
                hint="Name an older one with --good; is the test the right one? Try it on that commit.",
            )
        return BadEnds(
            f"{self._name(oid)} is bad, from where the good commit came: there it was mended, not broken",
            hint="Give a good commit that leads to the bad one.",
        )

    @property
    def found(self) -> ObjectId | None:
        """The first bad commit, once it is known."""
        return self.bad if len(self._suspects) == 1 else None

    @property
    def left(self) -> list[ObjectId]:
        """The commits that it may be, the oldest first."""
        return list(self._suspects)
