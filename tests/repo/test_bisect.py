"""Bisection: the first bad commit in as few tests as halving takes, whatever the history looks like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import Tree
from gvstore.odb import MemoryDatabase
from gvstore.repo.bisect import BadEnds, CommitSearch, Verdict
from gvstore.repo.history import is_ancestor


def history(parents: list[list[int]]) -> tuple[MemoryDatabase, list[ObjectId]]:
    """Returns a store and its commits; each names its parents by number."""
    db = MemoryDatabase()
    tree = Tree({}).put(db)
    oids: list[ObjectId] = []
    generations: list[int] = []
    for n, above in enumerate(parents):
        generations.append(1 + max((generations[each] for each in above), default=0))
        commit = Commit(
            tree=tree, parents=tuple(oids[each] for each in above), author="a", created_at=n, message=str(n),
            components={}, values={}, runs=(), generation=generations[-1], git="",
        )  # fmt: skip
        oids.append(commit.put(db))
    return db, oids


def searched(
    db: MemoryDatabase, search: CommitSearch, culprit: ObjectId, skipped: frozenset[ObjectId] = frozenset()
) -> int:
    """Returns how many tests a search took, of a history that `culprit` made bad."""
    tests = 0
    while (oid := search.next()) is not None:
        if oid in skipped:
            search.mark(oid, Verdict.SKIP)
            continue
        tests += 1
        search.mark(oid, Verdict.BAD if is_ancestor(db, culprit, oid) else Verdict.GOOD)
    return tests


@pytest.mark.parametrize("at", [1, 2, 31, 32, 33, 63, 64])
def test_sixty_four_commits_take_seven_tests_at_most(at: int) -> None:
    """Six halvings, and one test of an end where the answer hangs on it."""
    db, oids = history([[], *[[n] for n in range(64)]])
    search = CommitSearch(db, [oids[0]], oids[64])
    tests = searched(db, search, oids[at])

    assert oids[at] == search.found
    assert tests <= 7


histories = st.integers(2, 24).flatmap(
    lambda count: st.tuples(
        *(st.lists(st.integers(0, n - 1), min_size=1, max_size=3, unique=True) for n in range(1, count))
    ).map(lambda rest: [[], *rest])
)


@given(histories, st.data())
def test_the_first_bad_commit_of_any_history_is_found(parents: list[list[int]], data: st.DataObject) -> None:
    """Merges included: what is bad are the commits that the culprit leads to; skipped ones leave a range that holds it."""
    db, oids = history(parents)
    bad = oids[-1]
    before = [oid for oid in oids[:-1] if is_ancestor(db, oid, bad)]
    good = data.draw(st.sampled_from(before))
    suspects = [oid for oid in [*before, bad] if not is_ancestor(db, oid, good)]
    culprit = data.draw(st.sampled_from(suspects))
    skipped = frozenset(data.draw(st.sets(st.sampled_from([*before, bad])))) - {good, bad}
    search = CommitSearch(db, [good], bad)
    searched(db, search, culprit, skipped)

    assert culprit in search.left
    assert search.found in (culprit, None)
    if search.found is None:
        assert skipped & set(search.left)


def test_ends_that_are_not_what_they_are_said_to_be_are_told() -> None:
    """A good commit that is bad, a bad one that is good, the two exchanged, or the same."""
    db, oids = history([[], *[[n] for n in range(8)]])
    with pytest.raises(BadEnds, match="is good, and so is all"):
        searched(db, CommitSearch(db, [oids[1]], oids[6]), oids[8])
    with pytest.raises(BadEnds, match="is bad itself"):
        searched(db, CommitSearch(db, [oids[3]], oids[6]), oids[2])
    with pytest.raises(BadEnds, match="comes after the bad one"):
        CommitSearch(db, [oids[6]], oids[3])
    with pytest.raises(BadEnds, match="as good and as bad"):
        CommitSearch(db, [oids[6]], oids[6])


def test_a_good_commit_on_another_branch_needs_a_good_beginning() -> None:
    """As in git: where the branches part is tested first."""
    db, oids = history([[], [0], [1], [2], [1], [4]])  # 3 and 5 part at 1
    search = CommitSearch(db, [oids[5]], oids[3])

    assert oids[1] == search.next()
    with pytest.raises(BadEnds, match="there it was mended"):
        search.mark(oids[1], Verdict.BAD)
    assert 2 >= searched(db, again := CommitSearch(db, [oids[5]], oids[3]), oids[3]) - 1
    assert oids[3] == again.found


def test_unrelated_histories_cannot_be_searched() -> None:
    """Nothing leads from one to the other."""
    db, oids = history([[], [0], []])
    with pytest.raises(BadEnds, match="no commit in common"):
        CommitSearch(db, [oids[2]], oids[1])
