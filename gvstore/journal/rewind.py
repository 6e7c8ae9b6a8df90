"""Rewinding: the same execution without a call and all that came after it.

History is not edited: the result is a new invocation that shares what it
keeps; of a long list of calls only the nodes at the cut are made anew.
"""

from __future__ import annotations

from gvstore.journal.fault import NoSuchCall
from gvstore.journal.invocation import Invocation
from gvstore.objects.encode import Encoder
from gvstore.objects.invocation import Call, PartList
from gvstore.objects.lanes import cut_lanes
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.record import NIL
from gvstore.objects.resume import resume_list


def rewind_last(invocation: Invocation, count: int) -> Invocation:
    """Returns the call unfinished, without its last `count` calls.

    Raises:
        NoSuchCall: it made fewer.
    """
    return rewind_before(invocation, last_calls(invocation, count))


def last_calls(invocation: Invocation, count: int) -> tuple[int, ...]:
    """Returns the path of the first of the last `count` calls; with none of them, the place behind the last call.

    Raises:
        NoSuchCall: it made fewer.
    """
    made = len(invocation)
    if not 0 <= count <= made:
        raise NoSuchCall(f"{invocation.name} made {made} call{'s'[: made != 1]}, {count} cannot be taken back")
    return (made - count,)


def rewind_before(invocation: Invocation, path: tuple[int, ...]) -> Invocation:
    """Returns the execution as it was just before the call at `path` (child numbers from the root).

    The place behind the last call is one too: only outcomes are lost.

    Raises:
        NoSuchCall: there is no such call.
    """
    if not path:
        return _stored(invocation, _kept(invocation.call, 0, None, invocation.store.objects))
    objects = invocation.store.objects
    calls = [invocation.call]
    for depth, index in enumerate(path):
        children = PartList(calls[-1].children, objects)
        if not 0 <= index < len(children) + (depth + 1 == len(path)):
            where = ".".join(map(str, path[: depth + 1]))
            raise NoSuchCall(f"there is no call {where}: the call above it made {len(children)}")
        if depth + 1 < len(path):
            calls.append(Call.of_part(children[index], objects))
    cut: Call | None = None
    for call, index in zip(reversed(calls), reversed(path), strict=True):
        cut = _kept(call, index, cut, objects)
    assert cut is not None
    return _stored(invocation, cut)


def _kept(call: Call, count: int, last: Call | None, objects: ObjectStore) -> Call:
    """Returns `call` unfinished, with its first `count` children and then `last`."""
    encoder = Encoder(objects)
    children = resume_list(objects, objects, call.children, count)
    if last is not None:
        children.add(encoder.place(last.encode()))
    lanes = NIL if call.lanes == NIL else cut_lanes(call.lanes, children.count, objects, objects)
    return call.without_outcome(encoder.place(children.finish()), encoder.place(lanes))


def _stored(invocation: Invocation, call: Call) -> Invocation:
    return Invocation.of_oid(invocation.store, call.put(invocation.store.objects))
