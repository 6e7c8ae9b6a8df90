"""What a replay that did not end may still answer from: its own record, and behind it that of the run it replayed.

    run/1  main: a b c d            all ended
    run/2  main: a b                replayed run/1, and raised after b
    a replay of run/2 answers       a b from run/2, c d from run/1

The two records become one unfinished call, stored like any other, so that the
replayer and the journal need to know of one record only.
"""

from __future__ import annotations

from collections import deque

from gvstore.journal.answers import Replayer
from gvstore.objects import number
from gvstore.objects.encode import Encoder
from gvstore.objects.invocation import Call, PartList, call_list, outcome_number
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.record import NIL
from gvstore.objects.wire import link_bytes


def merge_records(call: Call, older: Call, replayer: Replayer, objects: ObjectStore) -> Call:
    """Returns `call` unfinished, with its own calls first and then those that only `older` has.

    A call that did not return here, and did there with code that still holds,
    stands as it was there; one that ended in neither is merged in turn.
    """
    if call.children == NIL or older.children == NIL:
        return call.without_outcome(older.children if call.children == NIL else call.children)
    encoder = Encoder(objects)
    waiting: dict[tuple[str, bytes], deque[bytes]] = {}
    for part in PartList(older.children, objects):
        waiting.setdefault(_identity(Call.of_part(part, objects), replayer), deque()).append(part)
    children = call_list(objects)
    for part in PartList(call.children, objects):
        own = Call.of_part(part, objects)
        queue = waiting.get(_identity(own, replayer))
        before = queue.popleft() if queue else None
        if before is None or outcome_number(own.outcome) == number.RETURNED:
            children.add(part)
            continue
        there = Call.of_part(before, objects)
        if outcome_number(there.outcome) == number.RETURNED and replayer.subtree(before)[0]:
            children.add(before)
        else:
            children.add(encoder.place(merge_records(own, there, replayer, objects).encode()))
    for queue in waiting.values():
        for part in queue:
            children.add(part)
    return call.without_outcome(encoder.place(children.finish()))


def _identity(call: Call, replayer: Replayer) -> tuple[str, bytes]:
    return replayer.component(link_bytes(call.component)).name, call.state + call.args
