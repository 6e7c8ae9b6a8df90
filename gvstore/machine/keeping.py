"""States kept by hand, in the active repository: `persist` and `hydrate`, as the seed of state machines planned them.

    commit       what a state is now, as an object: its oid, by which equal states are known
    persist      commits it and gives it a name that moves
    hydrate      a state by that name, by an oid, or by a rev: `run/5:3/state`
    checkpoint   the same state, out of the store: what led to it need not stay in memory
"""

from __future__ import annotations

from typing import Any

from gvstore.errors import BadRev
from gvstore.machine.kept import keeper_of
from gvstore.machine.state import State
from gvstore.machine.steps import MachineCall
from gvstore.objects.oid import ObjectId
from gvstore.store.active import current_store
from gvstore.store.ref import Ref
from gvstore.store.store import Store


def commit(state: State[Any], store: Store | None = None) -> ObjectId:
    """Returns the oid of a state, durable in the active store or the one given.

    Raises:
        NoActiveStore: there is none.
        StateValueError: a field holds what cannot be stored.
    """
    store = store or current_store()
    oid = state.store(keeper_of(store))
    store.objects.sync()
    return oid


def persist(state: State[Any], name: str, store: Store | None = None) -> Ref[Any]:
    """Returns the reference to a state that has a name from now on, as `gv put --name` gives.

    Raises:
        NoActiveStore: there is none.
        UsageFault: the store is no repository, which alone has names; or the name is none.
        StateValueError: a field holds what cannot be stored.
    """
    store = store or current_store()
    repo = getattr(store, "repository", None)
    if repo is None:
        raise BadRev("only a repository has names", hint="gv.use('.'), or `with gv.open('.'):`, or commit(state) for an oid.")
    oid = commit(state, store)
    repo.name_value(name, oid)
    return Ref(oid, store=store)


def hydrate(name: str | ObjectId | Ref[Any], store: Store | None = None) -> State[Any]:
    """Returns a state by its name, its oid, a reference or a rev.

    Raises:
        NoActiveStore: there is none.
        BadRev: it names no state; tells what is near.
        CorruptObject: what lies there is no state.
    """
    store = store or current_store()
    if isinstance(name, Ref):
        name = name.oid
    if isinstance(name, ObjectId):
        return State.load(keeper_of(store), name)
    repo = getattr(store, "repository", None)
    if repo is None:
        raise BadRev(f"{name}: only a repository has names", hint="gv.use('.'), or `with gv.open('.'):`.")
    return _named(repo, name)


def _named(repo: Any, rev: str) -> State[Any]:
    from gvstore.journal.address import find_call

    found = repo.resolve(rev)
    if found.call is None and found.run is None:
        if found.oid is None:
            raise BadRev(f"{rev} is no stored state", hint="Name a value, an oid, or a step's state: run/5:3/state.")
        return State.load(keeper_of(repo.store), found.oid)
    run = repo.run_of(found)
    root = MachineCall.of_run(run.invocation, run.record)
    if found.call is None or not found.call.path:
        return root.last_state()
    path, call = find_call(run.invocation, found.call)
    if len(path) > 1:
        above = run.invocation
        for index in path[:-1]:
            above = above.get_child(index)
        root = MachineCall(above)
    return root.state_after(path[-1] + 1) if call.status == "ok" else root.state_after(path[-1])


def checkpoint(state: State[Any], store: Store | None = None) -> State[Any]:
    """Returns the same state, to be read from the active store when it is asked.

    Raises:
        NoActiveStore: there is none.
        StateValueError: a field holds what cannot be stored.
    """
    store = store or current_store()
    made = State.load(keeper_of(store), commit(state, store))
    return made if state._typing is None else made.with_typing_system(state._typing)
