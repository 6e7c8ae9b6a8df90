"""What a replay that did not end may still answer from: its own record, and behind it that of the run it replayed.

    run/1  main: a b c d            all ended
    run/2  main: a b                replayed run/1, and raised after b
    a replay of run/2 answers       a b from run/2, c d from run/1

The two records become one unfinished call, stored like any other, so that the
replayer and the journal need to know of one record only.
"""

from __future__ import annotations

from gvstore.journal.replayer import Replayer
from gvstore.objects import number
from gvstore.objects.encode import Encoder
from gvstore.objects.invocation import Call, PartList, call_list, outcome_number
from gvstore.objects.lanes import LanePath, LaneRuns, lane_of_each
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.record import NIL
from gvstore.objects.wire import link_bytes


def merge_records(call: Call, older: Call, replayer: Replayer, objects: ObjectStore) -> Call:
    """Returns `call` unfinished, with its own calls first and then those that only `older` has.

    A call that did not return here, and did there with code that still holds,
    stands as it was there; one that ended in neither is merged in turn.
    """
    if call.children == NIL or older.children == NIL:
        kept = older if call.children == NIL else call
        return call.without_outcome(kept.children, kept.lanes)
    encoder = Encoder(objects)
    waiting: dict[tuple[str, bytes], list[tuple[bytes, LanePath]]] = {}
    for part, lane in zip(PartList(older.children, objects), lane_of_each(older.lanes, objects), strict=False):
        waiting.setdefault(_identity(Call.of_part(part, objects), replayer), []).append((part, lane))
    children, runs = call_list(objects), LaneRuns(objects)
    for part, lane in zip(PartList(call.children, objects), lane_of_each(call.lanes, objects), strict=False):
        own = Call.of_part(part, objects)
        queue = waiting.get(_identity(own, replayer))
        before = None
        if queue:
            before, _ = queue.pop(next((at for at, each in enumerate(queue) if each[1] == lane), 0))
        runs.add(lane)
        if before is None or outcome_number(own.outcome) == number.RETURNED:
            children.add(part)
            continue
        there = Call.of_part(before, objects)
        if outcome_number(there.outcome) == number.RETURNED and replayer.is_fresh(before):
            children.add(before)
        else:
            children.add(encoder.place(merge_records(own, there, replayer, objects).encode()))
    for queue in waiting.values():
        for part, lane in queue:
            children.add(part)
            runs.add(lane)
    return call.without_outcome(encoder.place(children.finish()), encoder.place(runs.finish()))


def _identity(call: Call, replayer: Replayer) -> tuple[str, bytes]:
    return replayer.component(link_bytes(call.component)).name, call.state + call.args
