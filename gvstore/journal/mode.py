"""How a replay is to go: what is answered against the record, what runs against it, where it begins and stops.

The words are those of `Run.replay` and of the command line:

    as_recorded   stale calls are answered too
    trust         those of these components are
    live          calls of these components run, whatever the record says
    set           these calls answer these values
    from_call     this call and all that came after it run
    effects       calls with effect="once" may be executed a second time
    max_calls     stop before one more call than these is executed
    budget        stop before a call is executed when so many tokens, or so much time, is spent: 5000, "30s", "2m"
    pick          these calls end as calls of other runs did
    alias         recorded components that have another name today
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypedDict

from gvstore.journal.alias import checked
from gvstore.journal.budget import Purse, parse_budget
from gvstore.journal.fault import InvocationError, NoSuchComponent
from gvstore.journal.used import UsedCode
from gvstore.objects.component import Component
from gvstore.objects.invocation import PartList, outcome_number, part_body
from gvstore.objects.number import RAISED, STREAMED
from gvstore.objects.oid import ObjectId
from gvstore.objects.record import NIL
from gvstore.objects.wire import linked, split

if TYPE_CHECKING:
    from gvstore.journal.address import CallPath
    from gvstore.journal.invocation import Invocation


class ReplayWords(TypedDict, total=False):
    """The keywords of a replay; calls are named as behind `run/7:`, or by their path."""

    as_recorded: bool
    trust: str | Iterable[str]
    live: str | Iterable[str]
    set: Mapping[str | tuple[int, ...], Any]
    from_call: str | tuple[int, ...] | None
    effects: bool
    max_calls: int | None
    budget: int | str | timedelta | Purse | None
    pick: Mapping[str | tuple[int, ...], Invocation]
    alias: Mapping[str, str]


_NOWHERE: Final[frozenset[CallPath]] = frozenset()
_RAISED_IN_STREAM: Final = 0x94  # an array of four: exception, here, chunks


@dataclass(frozen=True, slots=True)
class ReplayMode:
    """The same, looked up in a record: calls are paths from its root."""

    as_recorded: bool = False
    live: tuple[str, ...] = ()
    sets: Mapping[CallPath, Any] = field(default_factory=dict)
    start: CallPath | None = None
    effects: bool = False
    max_calls: int | None = None
    purse: Purse | None = None
    forced: frozenset[CallPath] = frozenset()  # the calls above those that are set or picked: they run
    picks: Mapping[CallPath, Invocation] = field(default_factory=dict)
    alias: Mapping[str, str] = field(default_factory=dict)
    trust: tuple[str, ...] = ()
    used: UsedCode = field(default_factory=UsedCode)  # what the record was made with, to say what has changed since
    libraries: str = "major"  # which change of a library counts
    reasons: Mapping[bytes, str] = field(default_factory=dict)  # why a recorded call has lost its outcome, by its part

    @property
    def asks_identity(self) -> bool:
        """Whether equal bytes are not enough for an answer: every call is looked at."""
        return bool(self.live or self.sets or self.picks)

    @property
    def places(self) -> frozenset[CallPath]:
        """The calls whose outcome is given: set or picked."""
        return frozenset((*self.sets, *self.picks)) if self.sets or self.picks else _NOWHERE

    def is_live(self, name: str) -> bool:
        """Returns whether calls of the component run whatever the record says."""
        return any(matches(name, pattern) for pattern in self.live)


def mode_of(words: ReplayWords, root: Invocation) -> ReplayMode:
    """Returns what the keywords ask of a replay of `root`.

    Raises:
        NoSuchCall: one of them names a call that the record does not have.
        NoSuchComponent: a pattern matches no component of the record.
        InvocationError: they contradict each other.
    """
    from gvstore.journal.address import call_path

    if unknown := words.keys() - ReplayWords.__annotations__.keys():
        raise TypeError(f"a replay takes no {sorted(unknown)[0]!r}")
    limit = words.get("max_calls")
    if limit is not None and limit < 0:
        raise ValueError(f"max_calls is a number of calls, not {limit}")
    live, trust = _patterns(words.get("live", ()), root), _patterns(words.get("trust", ()), root)
    sets = {call_path(root, call): value for call, value in words.get("set", {}).items()}
    wanted = words.get("from_call")
    start = None if wanted is None else call_path(root, wanted)
    picks = {call_path(root, call): picked for call, picked in words.get("pick", {}).items()}
    _check_places({**sets, **picks}, start)
    _check_sets(sets, root)
    return ReplayMode(
        as_recorded=bool(words.get("as_recorded")),
        trust=trust,
        live=live,
        sets=sets,
        start=start,
        effects=bool(words.get("effects")),
        max_calls=limit,
        purse=_purse(words.get("budget")),
        alias=checked(words.get("alias", {}), root),
        picks=picks,
        forced=frozenset(path[:depth] for path in (*sets, *picks) for depth in range(len(path))),
    )


def _purse(budget: int | str | timedelta | Purse | None) -> Purse | None:
    return budget if budget is None or isinstance(budget, Purse) else Purse(parse_budget(budget))


def _patterns(given: str | Iterable[str], root: Invocation) -> tuple[str, ...]:
    found = (given,) if isinstance(given, str) else tuple(given)
    if found:
        check_patterns(found, root)
    return found


def matches(name: str, pattern: str) -> bool:
    """Returns whether a pattern means the component: its name, or the end of it."""
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name, f"*.{pattern}")


def _check_places(places: Mapping[CallPath, Any], start: CallPath | None) -> None:
    for path in places:
        where = ".".join(map(str, path))
        if not path:
            raise InvocationError(
                "the root call is what a replay executes: it cannot be set", hint="Set a call below it."
            )
        if start is not None and path >= start:
            raise InvocationError(f"call {where} is not before the call that the replay begins at: it runs anew")
        outer = next((path[:depth] for depth in range(1, len(path)) if path[:depth] in places), None)
        if outer is not None:
            raise InvocationError(f"call {where} lies in {'.'.join(map(str, outer))}, which is set itself")


def _check_sets(sets: Mapping[CallPath, Any], root: Invocation) -> None:
    for path in sets:
        where = ".".join(map(str, path))
        call = root
        for index in path:
            call = call.get_child(index)
        outcome = call.call.outcome
        if outcome_number(outcome) == STREAMED or (
            outcome_number(outcome) == RAISED and outcome[0] == _RAISED_IN_STREAM
        ):
            raise InvocationError(f"call {where} is a stream, which cannot be set")


def check_patterns(patterns: tuple[str, ...], root: Invocation) -> None:
    """Asks that each pattern means a component that an execution calls.

    Raises:
        NoSuchComponent: one does not; tells which there are.
    """
    names = sorted(component_names(root))
    for pattern in patterns:
        if not any(matches(name, pattern) for name in names):
            raise NoSuchComponent(
                f"no call of {pattern} in this record",
                hint=f"It calls {', '.join(names[:8])}{', ...'[: 5 * (len(names) > 8)]}.",
            )


def component_names(root: Invocation) -> set[str]:
    """Returns the names of the components that a call and those below it are of."""
    return {each.name for each in components_of(root).values()}


def components_of(root: Invocation) -> dict[ObjectId, Component]:
    """Returns the components that a call and those below it are of."""
    reader = root.store.objects
    links: set[bytes] = set()
    seen: set[bytes] = set()
    stack = [root.part]
    while stack:
        part = stack.pop()
        if linked(part) is not None:
            if part in seen:
                continue
            seen.add(part)
        elements = split(part_body(part, reader))
        links.add(elements[1])
        if len(elements) > 4 and elements[4] != NIL:
            stack.extend(PartList(elements[4], reader))
    return {(oid := ObjectId(link[3:])): Component.get(reader, oid) for link in links}
