"""Invocations as values, programs that invoke programs, stores in memory."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import gvstore as gv
from gvstore.journal.repository import Repository
from gvstore.objects.oid import ObjectId
from gvstore.store.active import active_store
from tests.journal.bodies import BODIES, note


@gv.register
def leaf(x: int) -> int:
    note(x)
    return x * x


@gv.register
def tree(n: int) -> int:
    return sum(leaf(i) for i in range(n))


@gv.register
def search(n: int) -> list[gv.Invocation]:
    """Runs `tree` several times and keeps the best."""
    found = [gv.invoke(tree, (i,)) for i in range(n)]
    found.append(found[-1].rewind(1).replay())
    return sorted(found, key=lambda each: -each.output)


def test_invoking_inside_a_recording_is_an_ordinary_value(repo: Repository) -> None:
    """No run and no child comes of it: an invocation, which can be sorted, returned, stored, compared."""
    run = repo.run(search, 3)

    assert 1 == len(repo.runs)
    assert 0 == len(run.invocation)
    assert [1, 1, 0, 0] == [each.output for each in run.output]
    assert run.output[0] == run.output[1]
    assert {run.output[0]: 1} == {run.output[1]: 1}
    assert [0, 1] == [each.output for each in run.output[0].get_children()]
    assert run.output == run.replay().output


def test_outer_calls_go_on_behind_an_inner_invocation(repo: Repository) -> None:
    """What a program calls after a meta-invocation is recorded in the program's own run again."""

    @gv.register
    def root() -> int:
        gv.invoke(tree, (2,))
        return leaf(7)

    (call,) = repo.run(root).invocation.get_children()

    assert {"x": 7} == call.args


def test_invocations_in_memory_are_carried_over(repo: Repository) -> None:
    """What a record links lies in its own store, also where it was made in another."""

    @gv.register
    def root() -> list[Any]:
        with gv.InMemoryStore():
            inner = gv.invoke(tree, (3,))
            ref = gv.commit(["x" * 5000])
        return [inner, ref]

    run = repo.run(root)
    inner, ref = run.output

    assert [0, 1, 4] == [each.output for each in inner.get_children()]
    assert ["x" * 5000] == ref.checkout()
    assert [] == [each for each in repo.fsck() if each.damage]


def test_a_store_in_memory_records_invocations(tmp_path: Any) -> None:
    """A store that is no repository has invocations and no runs."""
    with gv.InMemoryStore():
        invocation = gv.invoke(tree, (4,))
        BODIES.clear()
        again = invocation.rewind(1).replay()

        assert (14, 4, "ok") == (invocation.output, len(invocation), invocation.status)
        assert invocation == again
        assert [3] == BODIES
        with pytest.raises(gv.GvError, match="no repository"):
            gv.run(tree, 3)
    with pytest.raises(gv.GvError, match="no store is active"):
        gv.invoke(tree, (1,))


def test_invocations_read_what_they_are_asked(repo: Repository) -> None:
    """One child of many costs a handful of objects, not the record."""
    run = repo.run(tree, 3000)
    read: list[ObjectId] = []
    objects = repo.objects
    plain = objects.read

    def counted(oid: ObjectId) -> bytes:
        read.append(oid)
        return plain(oid)

    objects.read = counted  # type: ignore[method-assign]
    try:
        child = gv.Invocation.of_oid(repo.store, run.invocation.oid).get_child(2500)
        assert 2500 * 2500 == child.output
    finally:
        del objects.read

    assert len(read) < 12


def test_children_can_be_counted_and_missed(repo: Repository) -> None:
    """get_child counts from both ends, and says how many there are."""
    root = repo.run(tree, 3).invocation

    assert root.get_child(-1) == root.get_child(2)
    assert bool(root.get_child(0)) and 0 == len(root.get_child(0))
    with pytest.raises(gv.GvError, match="made 3 calls, there is no call 3"):
        root.get_child(3)
    with pytest.raises(gv.GvError, match="cannot be taken back"):
        root.rewind(4)


def test_stores_nest_and_are_left_in_any_order(repo: Repository) -> None:
    """The innermost `with` is active; threads have none of it; blocks may be left out of order."""
    first, second = gv.InMemoryStore(), gv.InMemoryStore()
    seen: list[Any] = []
    with first:
        with second:
            thread = threading.Thread(target=lambda: seen.append(active_store()))
            thread.start()
            thread.join()
            assert second is active_store()
            first.__exit__(None, None, None)
            assert second is active_store()
        assert repo.store is active_store()
        first.__enter__()

    assert [None] == seen
    assert repo.store is active_store()


def test_a_repository_is_entered_by_many(repo: Repository) -> None:
    """`with repo` may be entered again, by the program it runs and by several threads; the last one closes."""

    def root(n: int) -> int:
        with repo, repo:
            assert repo.store is active_store()
        repo.close()
        return leaf(n)

    threads = [threading.Thread(target=lambda n=n: repo.run(root, n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    repo.run(root, 4)

    assert [0, 1, 4, 9, 16] == sorted(run.output for run in repo.runs)
    assert [] == [each for each in repo.fsck() if each.damage]


def test_use_makes_a_store_active_everywhere(repo: Repository) -> None:
    """gv.use is for notebooks: it holds where no `with` says otherwise, in every thread."""
    seen: list[Any] = []
    try:
        gv.use(repo)
        thread = threading.Thread(target=lambda: seen.append(gv.put([1]).checkout()))
        thread.start()
        thread.join()
        with gv.InMemoryStore() as inner:
            assert inner is active_store()
    finally:
        from gvstore.store.active import use_store

        use_store(None)

    assert [[1]] == seen
