"""What a replay that did not end may still answer from: its own record, and behind it that of the run it replayed.

    run/1  main: a b c d            all ended
    run/2  main: a b                replayed run/1, and raised after b
    a replay of run/2 answers       a b from run/2, c d from run/1

The two records become one unfinished call, stored like any other, so that the
replayer and the journal need to know of one record only.
"""

from __future__ import annotations

from typing import Final

from gvstore.journal.replayer import Replayer
from gvstore.objects import number
from gvstore.objects.encode import Encoder
from gvstore.objects.invocation import Call, PartList, call_list, outcome_number, part_body
from gvstore.objects.lanes import LanePath, LaneRuns, lane_of_each
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.record import NIL
from gvstore.objects.wire import link_bytes, split

_RETURNED: Final = (number.RETURNED, number.STREAMED)


def merge_records(call: Call, older: Call, replayer: Replayer, objects: ObjectStore, reasons: dict[bytes, str]) -> Call:
    """Returns `call` unfinished, with its own calls first and then those that only `older` has.

    A call that did not return here, and did there with code that still holds,
    stands as it was there; one that ended in neither is merged in turn.  What
    is stale of the older calls loses its outcome here, where it is known with
    which code they were made: `replayer` judges by that.  `reasons` is given
    why, by the part that is left.
    """
    if older.children == NIL:
        return call.without_outcome(call.children, call.lanes)
    encoder = Encoder(objects)
    waiting: dict[tuple[str, bytes], list[tuple[bytes, LanePath]]] = {}
    for part, lane in zip(PartList(older.children, objects), lane_of_each(older.lanes, objects), strict=False):
        waiting.setdefault(_identity(Call.of_part(part, objects), replayer), []).append((part, lane))
    children, runs = call_list(objects), LaneRuns(objects)
    well = _returned_last(call, replayer, objects)
    for at, (part, lane) in enumerate(zip(PartList(call.children, objects), lane_of_each(call.lanes, objects), strict=False)):
        own = Call.of_part(part, objects)
        identity = _identity(own, replayer)
        queue = waiting.get(identity)
        before = None
        if queue:
            before, _ = queue.pop(next((at for at, each in enumerate(queue) if each[1] == lane), 0))
        runs.add(lane)
        if before is None or outcome_number(own.outcome) in _RETURNED:
            children.add(part)
            continue
        there = Call.of_part(before, objects)
        if outcome_number(own.outcome) == outcome_number(there.outcome) == number.RAISED and (
            at < well.get(identity, 0) or any(outcome_number(Call.of_part(each, objects).outcome) in _RETURNED for each, _ in queue or ())
        ):
            children.add(part)  # an attempt, that another followed
            continue
        if outcome_number(there.outcome) in _RETURNED and replayer.is_fresh(before):
            children.add(before)
        else:
            children.add(encoder.place(merge_records(own, there, replayer, objects, reasons).encode()))
    for queue in waiting.values():
        for part, lane in queue:
            children.add(left(part, replayer, objects, reasons))
            runs.add(lane)
    return call.without_outcome(encoder.place(children.finish()), encoder.place(runs.finish()))


def _returned_last(call: Call, replayer: Replayer, objects: ObjectStore) -> dict[tuple[str, bytes], int]:
    """Returns of calls that were made again after they had raised, by what they are, the place of the last that returned."""
    found: dict[tuple[str, bytes], int] = {}
    raised: set[tuple[str, bytes]] = set()
    for at, part in enumerate(PartList(call.children, objects)):
        own = Call.of_part(part, objects)
        outcome = outcome_number(own.outcome)
        if outcome == number.RAISED:
            raised.add(_identity(own, replayer))
        elif raised and outcome in _RETURNED and (identity := _identity(own, replayer)) in raised:
            found[identity] = at
    return found


def left(part: bytes, replayer: Replayer, objects: ObjectStore, reasons: dict[bytes, str]) -> bytes:
    """Returns an older call without the outcomes in it that no longer hold, its own and those of the calls above such ones."""
    elements = split(part_body(part, objects))
    if replayer.is_fresh(part) or replayer.is_undefined(elements[1]) or replayer.standing(elements[1]).effect == "once":
        return part  # one that must come once did what it did
    encoder = Encoder(objects)
    call = Call.of_part(part, objects)
    why = replayer.why_stale(elements)
    children = call_list(objects)
    for child in PartList(call.children, objects) if call.children != NIL else ():
        children.add(left(child, replayer, objects, reasons))
    kept = encoder.place(children.finish()) if children.count else NIL
    changed = encoder.place(call.without_outcome(kept, call.lanes).encode())
    if why:
        reasons[changed] = why
    return changed


def _identity(call: Call, replayer: Replayer) -> tuple[str, bytes]:
    return replayer.component(link_bytes(call.component)).name, call.state + call.args
