"""What is true of recorded calls whatever program asks: is their code today's, do they run anyway, and why.

A `Replayer` is one replay.  Of each component that the record names it finds
out once how it stands, of each stored subtree once whether something in it
must run; `judge` puts this together with how the call itself ended.
"""

from __future__ import annotations

import importlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gvstore.journal.alias import gone
from gvstore.journal.budget import Purse
from gvstore.journal.fault import BudgetSpent, CallLimitReached, InvocationError, ReplayError, StoppedByLimit
from gvstore.journal.mode import ReplayMode, matches
from gvstore.objects import number
from gvstore.objects.component import BLOCK, Component
from gvstore.objects.invocation import PartList, asks, is_altered, outcome_number, part_body
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.record import NIL
from gvstore.objects.wire import linked, split

if TYPE_CHECKING:
    from gvstore.journal.address import CallPath
    from gvstore.journal.component import LiveComponent

HELD: Final = frozenset({"machine", "action"})
"""The flavors of components that are made when a machine is built: what a function builds is code of that function."""
STRICT_CALLS: Final = "calls"
STRICT_CODE: Final = "code"
_ANSWERS: Final = (number.RETURNED, number.STREAMED)
_OWN: Final = "gvstore."
_STALE, _RUNS = 1, 2


class Why(StrEnum):
    """Why a recorded call is not simply answered."""

    SET = "set"
    LIVE = "live"
    REPEAT = "repeat"
    RAISED = "raised"
    WAITING = "waiting"
    CANCELLED = "cancelled"
    UNFINISHED = "unfinished"
    OPAQUE = "opaque"
    STALE = "stale"
    BELOW = "below"


TOLD_HELD: Final = {
    Why.SET: "it is set", Why.LIVE: "it is to run live", Why.REPEAT: "it is to be repeated", Why.RAISED: "it raised",
    Why.WAITING: "it was held before", Why.CANCELLED: "it was cancelled",
    Why.UNFINISHED: "it was begun and did not end", Why.OPAQUE: "its answer was not kept", Why.STALE: "its code changed",
    Why.BELOW: "a call below it is to run",
}  # fmt: skip
_OUTCOMES: Final = {
    None: Why.UNFINISHED,
    number.RAISED: Why.RAISED,
    number.WAITING: Why.WAITING,
    number.CANCELLED: Why.CANCELLED,
}


class Standing(NamedTuple):
    """How the components of a record stand today: why they are stale, if they are, and what they run for in any case."""

    stale: str
    runs: Why | None
    effect: str


class Verdict(NamedTuple):
    """What becomes of a recorded call: it is answered where `why` is None; `held` says that it may not run again either."""

    why: Why | None
    stale: str
    calls: int
    held: bool = False


class Replayer:
    """One replay: the record it reads, what it insists on, and what it has found out about components."""

    def __init__(
        self, reader: ObjectReader, *, root: Path | None, strict: str = "", overrides: Any = None,
        mode: ReplayMode | None = None, history: Callable[[], Iterable[bytes]] | None = None,
    ) -> None:  # fmt: skip
        self.history = history  # the parts of the runs that the record is derived from
        self.reader, self.root, self.strict, self.overrides = reader, root, strict, overrides
        self.mode = mode or ReplayMode()
        self.stale: dict[str, str] = {}  # component name -> reason, of what was executed because of it
        self.fault: InvocationError | None = None  # where the replay left the record, or stopped
        self.blind: set[str] = set()  # components answered although an argument could not be compared
        self.lock = threading.RLock()  # the recording puts its own in this place
        self.used: set[CallPath] = set()  # the calls that were set or picked, and asked
        self.instead: dict[CallPath, str] = {}  # of those that were not, a call of the component that was asked otherwise
        self.begun = 0  # calls whose execution was allowed
        self._components: dict[bytes, Component] = {}
        self._standings: dict[bytes, Standing] = {}
        self._subtrees: dict[bytes, tuple[int, int]] = {}
        self._happened: Counter[tuple[str, bytes]] | None = None
        self._met: Counter[tuple[str, bytes]] = Counter()
        self._looked_at, self._any_once = -1, False
        from gvstore.journal.drift import Drift  # for replays alone: it looks at much

        self.drift = Drift(reader, root, self.mode.used, self.mode.libraries)
        self.trusted: dict[str, str] = {}  # component name -> reason, of what is answered all the same

    @property
    def asks_identity(self) -> bool:
        """Whether equal bytes are not enough for an answer: every call is looked at."""
        return self.mode.asks_identity or self.drift.any

    def diverge(self, message: str) -> ReplayError:
        """Returns the error of leaving the record; it is remembered, for the program may swallow it."""
        if self.fault is None:
            self.fault = ReplayError(message)
        return ReplayError(message)

    def count(self) -> None:
        """Notes that a call is about to be executed.

        Raises:
            StoppedByLimit: it is one more than `max_calls`, or the budget is spent.
        """
        limit, purse = self.mode.max_calls, self.mode.purse
        if limit is not None and self.begun >= limit:
            if self.fault is None:
                self.fault = CallLimitReached(limit)
            raise StoppedByLimit(str(self.fault))
        if purse is not None and not purse.begin():
            if self.fault is None:
                self.fault = BudgetSpent(str(purse.budget))
            raise StoppedByLimit(str(self.fault))
        self.begun += 1

    def rest_of_mode(self) -> ReplayMode:
        """Returns the mode for another process: what is left of the limit there, for it alone."""
        limit, purse = self.mode.max_calls, self.mode.purse
        mode = self.mode if limit is None else replace(self.mode, max_calls=max(0, limit - self.begun))
        return mode if purse is None else replace(mode, purse=Purse(purse.left))

    @property
    def limited(self) -> bool:
        """Whether there is a limit to what may be executed."""
        return self.mode.max_calls is not None or self.mode.purse is not None

    def stopped(self, why: str) -> InvocationError:
        """Returns the error of a replay that was stopped, here or in another process."""
        if self.fault is not None:
            return self.fault
        limit, purse = self.mode.max_calls, self.mode.purse
        if purse is not None and (limit is None or "budget" in why):
            return BudgetSpent(str(purse.budget))
        return CallLimitReached(limit or 0)

    def component(self, link: bytes) -> Component:
        """Returns the component that a link names; one that has an alias under this name."""
        known = self._components.get(link)
        if known is None:
            known = Component.get(self.reader, ObjectId(link[3:]))
            known = self._components[link] = replace(known, name=self.mode.alias.get(known.name, known.name))
        return known

    def standing(self, link: bytes) -> Standing:
        """Returns how the recorded component stands today."""
        known = self._standings.get(link)
        if known is None:
            known = self._standings[link] = self._compare(self.component(link))
        return known

    def why_stale(self, elements: list[bytes]) -> str:
        """Returns why a recorded call no longer holds, whatever is below it, or an empty text."""
        why = self.standing(elements[1]).stale
        if why:
            return why
        name = self.component(elements[1]).name
        return self._unless_trusted(name, self.drift.of_call(name, elements))

    def _unless_trusted(self, name: str, why: str) -> str:
        if why and any(matches(name, each) for each in self.mode.trust):
            self.trusted[name] = why
            return ""
        return why

    def _compare(self, recorded: Component) -> Standing:
        """Returns the standing of a component: of several that the program has under its name, that with its code counts."""
        from gvstore.journal.register import registered_for

        if recorded.name.startswith(_OWN):
            _meet(recorded.name)
        runs = Why.LIVE if self.mode.is_live(recorded.name) else None
        if recorded.flavor == BLOCK:
            return Standing("", runs, "")  # what a block does stands in the call that it is a part of
        found = registered_for(recorded, self.root)
        same = [live for live in found if live.component(self.root).code == recorded.code]
        live = next(iter(same or found), None)
        if recorded.flavor in HELD and not same and all(each.is_made for each in found):
            return Standing("", runs, "")  # a function makes it, and that counts: if it is called, `judge` is given what is
        if live is None:
            return Standing(gone(recorded, self.root), runs, "")
        stale = self._unless_trusted(recorded.name, self.drift.of_component(recorded, live))
        return Standing(stale, runs or (Why.REPEAT if live.effect == "repeat" else None), live.effect)

    def judge(
        self, path: CallPath, part: bytes, elements: list[bytes], later: Iterable[list[bytes]], *, is_root: bool = False,
        live: LiveComponent | None = None,
    ) -> Verdict:  # fmt: skip
        """Returns what becomes of a recorded call at `path`; `later` are equal calls that its parent made after it.

        `live` is what is called now, where that is known.
        """
        mode, standing = self.mode, self.standing(elements[1])
        flags, calls = self.subtree(part)
        stale = self.why_stale(elements) or self._why_made_anew(elements[1], live, is_root=is_root)
        why: Why | None
        if path in mode.sets:
            return Verdict(Why.SET, "", 1)
        if path in mode.picks:
            return Verdict(None, "", calls)
        if path in mode.forced:
            why = Why.BELOW
        elif standing.runs is not None:
            why = standing.runs
        else:
            why = _ended(elements, later)
        if why is Why.UNFINISHED and part in mode.reasons:
            why, stale = Why.STALE, mode.reasons[part]
        counts = is_root or not mode.as_recorded
        if why is None and stale and counts:
            why = Why.STALE
        if why is None and (flags & _RUNS or (flags & _STALE and not mode.as_recorded)):
            why = Why.BELOW
        once = standing.effect == "once" and not mode.effects
        if once and not is_root and path not in mode.forced and why in (Why.STALE, Why.BELOW):
            why = None  # it did what it did
        return Verdict(why, stale, calls, once and why is not None and not waits_inside(elements))

    def _why_made_anew(self, link: bytes, live: LiveComponent | None, *, is_root: bool) -> str:
        """Returns why an object that a function made, and that is called or the root, is another than the recorded one, or an empty text."""
        from gvstore.journal.register import registered_as

        recorded = self.component(link)
        if recorded.flavor not in HELD or (live is None and not is_root):
            return ""
        found = [live] if live is not None else registered_as(recorded.name, self.root)
        if not found or any(each.component(self.root).code == recorded.code for each in found):
            return ""
        return self._unless_trusted(recorded.name, self.drift.of_component(recorded, found[0]))

    @property
    def watches_effects(self) -> bool:
        """Whether a call that the record does not have may be one that happened before."""
        if self.history is None or self.mode.effects:
            return False
        from gvstore.journal.register import registered

        known = registered()
        if len(known) != self._looked_at:  # some were registered since
            self._looked_at, self._any_once = len(known), any(live.effect == "once" for live in known)
        return self._any_once

    def happened_before(self, name: str, given: bytes) -> bool:
        """Returns whether this call, which the record does not have, was executed in a run that the record is derived from.

        Asked once for every call with effect="once", also of those that the record has: equal ones are counted.
        """
        if self._happened is None:
            self._happened = Counter()
            for each in self.history() if self.history is not None else ():
                self._happened |= Counter(self._effects_in(each))
        self._met[name, given] += 1
        return self._met[name, given] <= self._happened[name, given]

    def _effects_in(self, part: bytes) -> Iterator[tuple[str, bytes]]:
        stack = [part]
        while stack:
            elements = split(part_body(stack.pop(), self.reader))
            outcome = elements[3] if len(elements) > 3 else NIL
            if self.standing(elements[1]).effect == "once" and not asks(outcome):
                yield self.component(elements[1]).name, (elements[5] if len(elements) > 5 else NIL) + elements[2]
            if len(elements) > 4:
                stack.extend(PartList(elements[4], self.reader))

    def is_fresh(self, part: bytes) -> bool:
        """Returns whether the code of a recorded call and of all below it is today's."""
        return not self.subtree(part)[0] & _STALE

    def runs_within(self, part: bytes) -> bool:
        """Returns whether a recorded call, or one below it, runs whatever its record says."""
        return bool(self.subtree(part)[0] & _RUNS)

    def is_undefined(self, link: bytes) -> bool:
        """Returns whether a function defines the recorded component when it runs, and has not yet: whether it is fresh shows then."""
        from gvstore.journal.alias import is_made_later
        from gvstore.journal.register import registered_for

        recorded = self.component(link)
        return is_made_later(recorded, self.root) and not registered_for(recorded, self.root)

    def stale_below(self, part: bytes, path: CallPath = ()) -> Iterator[tuple[CallPath, str, str]]:
        """Yields (path, component, reason) of the stale calls of a subtree, depth first."""
        stack = [(part, path)]
        while stack:
            part, path = stack.pop()
            if self.is_fresh(part):
                continue
            elements = split(part_body(part, self.reader))
            if why := self.why_stale(elements):
                yield path, self.component(elements[1]).name, why
            if len(elements) > 4:
                below = [(each, (*path, at)) for at, each in enumerate(PartList(elements[4], self.reader))]
                stack += reversed(below)

    def subtree(self, part: bytes) -> tuple[int, int]:
        """Returns (what is found in it, how many calls) of a recorded call and what is below it."""
        known = self._subtrees.get(part)
        if known is not None:
            return known
        calls = [_Subtree(self, part)]
        while True:
            call = calls[-1]
            for child in call.children:
                known = self._subtrees.get(child)
                if known is None:
                    below = _Subtree(self, child)
                    if below.children is not _NONE:
                        calls.append(below)
                        break
                    known = below.flags, 1
                call.flags, call.total = call.flags | known[0], call.total + known[1]
            else:
                calls.pop()
                found = call.flags, call.total
                if linked(call.part) is not None:
                    self._subtrees[call.part] = found
                if not calls:
                    return found
                calls[-1].flags, calls[-1].total = calls[-1].flags | found[0], calls[-1].total + found[1]


_NONE: Final[Iterator[bytes]] = iter(())


class _Subtree:
    """A call on the way: what is known of it and of the children looked at so far."""

    __slots__ = ("children", "flags", "part", "total")

    def __init__(self, replayer: Replayer, part: bytes) -> None:
        elements = split(part_body(part, replayer.reader))
        standing = replayer.standing(elements[1])
        self.part, self.total = part, 1
        self.flags = (_STALE if replayer.why_stale(elements) else 0) | (_RUNS if standing.runs is not None else 0)
        has_children = len(elements) > 4 and elements[4] != NIL
        self.children = iter(PartList(elements[4], replayer.reader)) if has_children else _NONE


def _ended(elements: list[bytes], later: Iterable[list[bytes]]) -> Why | None:
    """Returns why a recorded outcome does not stand, or None: a value that could be stored, or the failure before a retry that succeeded."""
    outcome = elements[3] if len(elements) > 3 else NIL
    kind = outcome_number(outcome)
    if kind in _ANSWERS:
        return Why.OPAQUE if is_altered(outcome) else None
    if kind == number.RAISED and any(len(each) > 3 and outcome_number(each[3]) in _ANSWERS for each in later):
        return None
    return _OUTCOMES.get(kind, Why.OPAQUE)


def waits_inside(elements: list[bytes]) -> bool:
    """Returns whether a call waits for the answer to a question that a call below it asks: then it has not done its work."""
    outcome = elements[3] if len(elements) > 3 else NIL
    return outcome_number(outcome) == number.WAITING and not asks(outcome)


def _meet(name: str) -> None:
    """Imports the module of ours that registers a component: a program meets it when it first uses it, a replay before that."""
    module = "" if "__" in name else name.rpartition(".")[0]
    while module.startswith(_OWN):
        try:
            importlib.import_module(module)
            return
        except ImportError:  # a class, or of another version
            module = module.rpartition(".")[0]
