"""On what terms a replay goes, kept with its run: one that is carried on keeps to them.

    run/1  main: ask ask ask
    run/2  main: ask                replayed run/1 with --live ask, and was killed after the first
    a replay of run/2 answers       the first ask from run/2, and executes the others

What the terms have executed or set loses its outcome in the older record, or
has another, before that is put behind the newer one (`merge`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from gvstore.journal.address import CallPath, format_path
from gvstore.journal.invocation import Invocation
from gvstore.journal.mode import ReplayMode
from gvstore.journal.pick import with_picks
from gvstore.journal.replayer import Replayer
from gvstore.journal.rewind import rewind_before
from gvstore.objects import number
from gvstore.objects.encode import Encoder
from gvstore.objects.invocation import Call, PartList, call_list, outcome_number, returned
from gvstore.objects.lanes import LanePath, LaneRuns, lane_of_each
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.record import NIL
from gvstore.objects.wire import link_bytes
from gvstore.store.ref import Ref


def terms_of(mode: ReplayMode) -> dict[str, Any]:
    """Returns what a run keeps of a replay's mode; nothing where it only reuses what holds."""
    values = {path: each.checkout() if isinstance(each, Ref) else each for path, each in mode.sets.items()}
    terms: dict[str, Any] = {}
    if mode.live:
        terms["live"] = list(mode.live)
    if values:
        terms["set"] = {format_path(path): value for path, value in values.items()}
    if mode.picks:
        terms["pick"] = {format_path(path): picked for path, picked in mode.picks.items()}
    if mode.start is not None:
        terms["from"] = list(mode.start)
    return terms | {"effects": True} if terms and mode.effects else terms


def apply_terms(record: Invocation, terms: Mapping[str, Any]) -> Invocation:
    """Returns the record without outcomes of the calls that a replay on these terms executes, and with what it sets."""
    picks = {tuple(map(int, path.split("."))): picked for path, picked in terms.get("pick", {}).items()}
    record = with_picks(record, picks)
    if "from" in terms:
        record = rewind_before(record, tuple(terms["from"]))
    live = tuple(terms.get("live", ()))
    sets = {tuple(map(int, path.split("."))): value for path, value in terms.get("set", {}).items()}
    if not live and not sets:
        return record
    mode = ReplayMode(
        live=live, sets=sets, effects=bool(terms.get("effects")),
        forced=frozenset(path[:depth] for path in sets for depth in range(len(path))),
    )  # fmt: skip
    store = record.store
    replayer = Replayer(store.objects, root=store.root, mode=mode)
    return Invocation.of_oid(store, _left(record.call, replayer, store.objects).put(store.objects))


class _Open:
    """A call on the way: its calls so far as they are left, and those to come."""

    def __init__(self, call: Call, path: CallPath, lane: LanePath, objects: ObjectStore) -> None:
        self.call, self.path, self.lane, self._encoder = call, path, lane, Encoder(objects)
        self._children, self._lanes = call_list(objects), LaneRuns(objects)
        parts = zip(PartList(call.children, objects), lane_of_each(call.lanes, objects), strict=False)
        self.rest: Iterator[tuple[int, tuple[bytes, LanePath]]] = enumerate(iter(()) if call.children == NIL else parts)

    def keep(self, part: bytes, lane: LanePath) -> None:
        """Notes a call that stays."""
        self._children.add(part)
        self._lanes.add(lane)

    def keep_call(self, call: Call, lane: LanePath) -> None:
        """Notes a call that is made anew."""
        self.keep(self._encoder.place(call.encode()), lane)

    def set(self, call: Call, value: Any, lane: LanePath) -> None:
        """Notes a call that answers a value, and made no calls."""
        self.keep_call(replace(call.without_outcome(NIL), outcome=returned(self._encoder.nested(value))), lane)

    def finish(self) -> Call:
        """Returns the call unfinished, with what is left below it."""
        place = self._encoder.place
        kept = self.call.without_outcome(place(self._children.finish()), place(self._lanes.finish()))
        waits = outcome_number(self.call.outcome) == number.WAITING
        return replace(kept, outcome=self.call.outcome) if waits else kept


def _left(root: Call, replayer: Replayer, objects: ObjectStore) -> Call:
    stack = [_Open(root, (), (), objects)]
    mode = replayer.mode
    while True:
        top = stack[-1]
        for at, (part, lane) in top.rest:
            path = (*top.path, at)
            call = Call.of_part(part, objects)
            link = link_bytes(call.component)
            if path in mode.sets:
                top.set(call, mode.sets[path], lane)
            elif path in mode.forced or mode.is_live(replayer.component(link).name):
                stack.append(_Open(call, path, lane, objects))
                break
            elif not replayer.runs_within(part) or (replayer.standing(link).effect == "once" and not mode.effects):
                top.keep(part, lane)  # a call that must come once did what it did, whatever is below it
            else:
                stack.append(_Open(call, path, lane, objects))
                break
        else:
            left = stack.pop()
            if not stack:
                return left.finish()
            stack[-1].keep_call(left.finish(), left.lane)
