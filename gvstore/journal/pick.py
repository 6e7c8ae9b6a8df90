"""One call's outcome, put into another run: what `gv cherry-pick` replays.

    run/3  story: outline, draft = "... the grey sea ..."
    run/5  story: outline, draft = "... a red field ...", revise
    cherry-pick run/3:1 --into run/5      outline from run/5, draft from run/3, revise runs on that draft

The record is made anew with the picked call in its place; a replay of it
answers that call whatever its code is today and however it ended, and
executes the calls above it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gvstore.journal.address import CallPath, calls_of, format_path
from gvstore.journal.fault import InvocationError, NoSuchCall
from gvstore.journal.invocation import Invocation
from gvstore.journal.overlay import Overlay
from gvstore.objects.encode import Encoder
from gvstore.objects.invocation import Call, PartList, call_list
from gvstore.objects.protocol import ObjectStore

_SHOWN = 5


def with_picks(record: Invocation, picks: Mapping[CallPath, Invocation]) -> Invocation:
    """Returns the record with other outcomes, and what led to them, for some of its calls, stored; those above them are unfinished."""
    if not picks:
        return record
    store = record.store
    if getattr(store.objects, "read_only", False):  # for a plan: nothing is to be kept
        store = Overlay(store.objects).store(store.root)
    root = record.call
    for path, donor in picks.items():
        root = _spliced(root, path, donor.call, store.objects)
    return Invocation.of_oid(store, root.put(store.objects))


def _spliced(root: Call, path: CallPath, donor: Call, objects: ObjectStore) -> Call:
    """Returns the call with that at `path` ended as `donor` did; it is the same component and is asked what it was asked."""
    above = [root]
    for index in path:
        above.append(Call.of_part(PartList(above[-1].children, objects)[index], objects))
    target = above.pop()
    made = donor if (donor.args, donor.state) == (target.args, target.state) else replace(
        donor, args=target.args, state=target.state
    )  # fmt: skip
    encoder = Encoder(objects)
    while above:
        parent = above.pop()
        children = call_list(objects)
        for at, part in enumerate(PartList(parent.children, objects)):
            children.add(encoder.place(made.encode()) if at == path[len(above)] else part)
        made = parent.without_outcome(encoder.place(children.finish()), parent.lanes)
    return made


def place_for(record: Invocation, picked: Invocation, name: str, path: CallPath, wanted: CallPath | None) -> CallPath:
    """Returns where a call goes in a record: `wanted`, else where the same is called; `name` is the run's, `path` where it stood.

    Raises:
        NoSuchCall: nothing there is the same call, several are, or what is wanted is of another component.
        InvocationError: it has no outcome that could be put anywhere, or would go to the root.
    """
    component = picked.component.name
    _check_outcome(picked)
    if wanted is not None:
        if not wanted:
            raise InvocationError(
                "the root call is what a replay executes: nothing can be put there", hint="Name a call below it."
            )
        target = record
        for index in wanted:
            target = target.get_child(index)
        if target.component.name != component:
            raise NoSuchCall(
                f"call {format_path(wanted)} of {name} is one of {target.component.name}, not of {component}",
                hint=f"`gv replay {name} --set {format_path(wanted)}=VALUE` lets any call answer any value.",
            )
        return wanted
    called = [(at, each) for at, each in calls_of(record, lambda each: each == component) if at]
    same = [at for at, each in called if (each.call.args, each.call.state) == (picked.call.args, picked.call.state)]
    if len(same) == 1 or path in same:
        return path if path in same else same[0]
    if same:
        some = ", ".join(map(format_path, same[:_SHOWN])) + (", ..." if len(same) > _SHOWN else "")
        raise NoSuchCall(
            f"{name} makes this call {len(same)} times: {some}", hint=f"Say which: `--into {name}:{format_path(same[0])}`."
        )
    if not called:
        raise NoSuchCall(f"{name} makes no call of {component}", hint=f"`gv show {name}` shows its calls.")
    others = ", ".join(format_path(at) for at, _ in called[:_SHOWN]) + (", ..." if len(called) > _SHOWN else "")
    raise NoSuchCall(
        f"{name} calls {component} with other arguments only: {others}",
        hint=f"To put it there nevertheless, say where: `--into {name}:{format_path(called[0][0])}`.",
    )


def _check_outcome(picked: Invocation) -> None:
    if picked.status not in ("ok", "raised"):
        raise InvocationError(f"this call of {picked.name} is {picked.status}: it has no outcome that could be picked")
    if picked.has_opaque_output():
        raise InvocationError(f"a part of the output of {picked.name} could not be stored, so it cannot be picked")
