from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import Tree
from gvstore.odb import MemoryDatabase
from gvstore.repo.history import ancestors, is_ancestor, log, merge_bases

# A history: for each commit, which of the earlier ones are its parents, and its date.
HISTORIES = st.lists(st.tuples(st.sets(st.integers(0, 30), max_size=3), st.integers(0, 5)), min_size=1, max_size=14)


def build(shape: list[tuple[set[int], int]]) -> tuple[MemoryDatabase, list[ObjectId], list[set[int]]]:
    """Returns a database with such a history, the commits, and for each all that lead to it, itself too."""
    objects, oids, above = MemoryDatabase(), list[ObjectId](), list[set[int]]()
    tree, generations = Tree({}).put(objects), list[int]()
    for n, (wanted, date) in enumerate(shape):
        parents = sorted({p % n for p in wanted}) if n else []
        generations.append(1 + max((generations[p] for p in parents), default=0))
        commit = Commit(tree, tuple(oids[p] for p in parents), "a", date, str(n), generation=generations[-1])
        oids.append(commit.put(objects))
        above.append({n}.union(*(above[p] for p in parents)))
    return objects, oids, above


@given(HISTORIES, st.data())
def test_log_is_ordered_and_complete(shape: list[tuple[set[int], int]], data: st.DataObject) -> None:
    """Every commit that leads to the starts and not to what is left out comes once, after all that follow it."""
    objects, oids, above = build(shape)
    numbers = st.sets(st.integers(0, len(oids) - 1), max_size=3)
    starts, without = data.draw(numbers), data.draw(numbers)
    found = [
        oids.index(entry.oid) for entry in log(objects, [oids[n] for n in starts], without=[oids[n] for n in without])
    ]

    expected = set[int]().union(*(above[n] for n in starts)) - set[int]().union(*(above[n] for n in without))
    assert sorted(expected) == sorted(found)
    assert all(b not in above[a] for i, b in enumerate(found) for a in found[i + 1 :])
    assert found[:2] == [
        oids.index(e.oid) for e in log(objects, [oids[n] for n in starts], without=[oids[n] for n in without], limit=2)
    ]


@settings(max_examples=60)
@given(HISTORIES)
def test_ancestors_and_merge_bases(shape: list[tuple[set[int], int]]) -> None:
    """The best common ancestors are those that lead to no other common ancestor."""
    objects, oids, above = build(shape)
    last = len(oids) - 1
    assert {oids[n] for n in above[last]} == set(ancestors(objects, oids[last]))
    for n in range(len(oids)):
        assert (n in above[last]) == is_ancestor(objects, oids[n], oids[last])
        common = above[n] & above[last]
        best = {c for c in common if not any(c in above[d] for d in common - {c})}
        assert sorted(oids[c] for c in best) == merge_bases(objects, oids[n], oids[last])


def test_first_parents() -> None:
    """A walk along first parents leaves merged lines out."""
    objects, oids, _ = build([(set(), 0), ({0}, 1), ({0}, 2), ({1, 2}, 3)])

    assert [3, 1, 0] == [oids.index(entry.oid) for entry in log(objects, [oids[3]], first_parent=True)]
