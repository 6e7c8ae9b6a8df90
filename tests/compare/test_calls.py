"""Calls: pairs as the textbook has them, labels that are true, and the call where two executions parted."""

from __future__ import annotations

import functools
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.compare import pairing as module
from gvstore.compare.calls import CallChange, CallDiff, CallPair, compare_calls
from gvstore.compare.pairing import Pairing, pair_calls


@dataclass(frozen=True)
class Call:
    """A call with its keys as texts."""

    component: str
    args: bytes = b""
    outcome: bytes = b""
    children: tuple[Call, ...] = ()
    code: bytes = b"1"

    @functools.cached_property
    def digest(self) -> bytes:
        parts = [self.component.encode(), self.args, self.outcome, self.code, *(c.digest for c in self.children)]
        return hashlib.sha256(b"".join(len(part).to_bytes(4) + part for part in parts)).digest()


keys = st.sampled_from([b"1", b"2"])
leaves = st.builds(Call, st.sampled_from("ab"), keys, keys, code=keys)
calls = st.recursive(
    leaves,
    lambda inner: st.builds(Call, st.sampled_from("ab"), keys, keys, st.lists(inner, max_size=4).map(tuple), keys),
    max_leaves=10,
)
siblings = st.lists(leaves, max_size=8)


def best(old: list[Call], new: list[Call]) -> tuple[int, int]:
    """Returns the most pairs of same calls in order, and the most equal subtrees among so many, by trying all."""

    @functools.cache
    def at(i: int, j: int) -> tuple[int, int]:
        if i == len(old) or j == len(new):
            return 0, 0
        found = [at(i + 1, j), at(i, j + 1)]
        if (old[i].component, old[i].args) == (new[j].component, new[j].args):
            n, same = at(i + 1, j + 1)
            found.append((n + 1, same + (old[i].digest == new[j].digest)))
        return max(found)

    return at(0, 0)


def check_pairing(old: list[Call], new: list[Call], pairing: Pairing, *, ordered: bool = True) -> int:
    """Returns how many same calls are paired in order, having checked that every call has its place."""
    olds = [pair.old for pair in pairing.others if pair.old is not None]
    news = [pair.new for pair in pairing.others if pair.new is not None]
    left_old = [i for i in range(len(old)) if i not in olds]
    left_new = [j for j in range(len(new)) if j not in news]
    both = [
        (pair.old, pair.new, pair.moved) for pair in pairing.others if pair.old is not None and pair.new is not None
    ]

    assert len(set(olds)) == len(olds)
    assert len(set(news)) == len(news)
    assert pairing.same == len(left_old) == len(left_new)
    if ordered:
        assert [old[i].digest for i in left_old] == [new[j].digest for j in left_new]
        in_place = [(i, j) for i, j, moved in both if not moved]
        everything = sorted([*in_place, *zip(left_old, left_new, strict=True)])
        assert sorted(j for _, j in everything) == [j for _, j in everything]
    else:
        assert sorted(old[i].digest for i in left_old) == sorted(new[j].digest for j in left_new)
    assert all(old[i].component == new[j].component for i, j, _ in both)
    assert all((old[i].component, old[i].args) == (new[j].component, new[j].args) for i, j, moved in both if moved)
    gone = {
        (old[pair.old].component, old[pair.old].args)
        for pair in pairing.others
        if pair.new is None and pair.old is not None
    }
    came = {
        (new[pair.new].component, new[pair.new].args)
        for pair in pairing.others
        if pair.old is None and pair.new is not None
    }
    assert not gone & came
    return pairing.same + sum(
        (old[i].component, old[i].args) == (new[j].component, new[j].args) and not moved for i, j, moved in both
    )


def edited(old: list[Call], edits: int, rng: random.Random, fresh: Callable[[], Call]) -> list[Call]:
    """Returns the calls with so many new samples, calls gone, come and moved."""
    new = list(old)
    for _ in range(edits):
        at = rng.randrange(len(new))
        kind = rng.randrange(4)
        if kind == 0:
            new[at] = replace(new[at], outcome=b"%d" % rng.randrange(6))
        elif kind == 1 and len(new) > 1:
            del new[at]
        elif kind == 2:
            new.insert(at, fresh())
        else:
            new.insert(rng.randrange(len(new)), new.pop(at))
    return new


@given(siblings, siblings)
def test_pairs_of_few_are_the_best_there_are(old: list[Call], new: list[Call]) -> None:
    """As many same calls as can be paired in order, and among those as many equal subtrees."""
    pairing = pair_calls(old, new)

    assert best(old, new)[0] == check_pairing(old, new, pairing)
    assert best(old, new)[1] == pairing.same


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([1, 3, 50, 10**9]), st.integers(0, 60))
def test_pairs_of_many(seed: int, variety: int, edits: int) -> None:
    """Any number of edits in long lists, of calls that repeat or not: every call has one place, and few lose theirs."""
    rng = random.Random(seed)

    def fresh() -> Call:
        return Call("ab"[rng.randrange(2)], b"%d" % rng.randrange(variety), b"%d" % rng.randrange(6))

    old = [fresh() for _ in range(300)]
    new = edited(old, edits, rng, fresh)
    paired = check_pairing(old, new, pair_calls(old, new))

    assert paired >= 300 - 2 * edits


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10))
def test_ten_edits_of_many_are_paired_as_by_the_plain_algorithm(seed: int, edits: int) -> None:
    """Of different calls in long lists as many are paired as the textbook's longest common subsequence has."""
    rng = random.Random(seed)
    old = [Call("ab"[n % 2], b"%d" % n, b"%d" % rng.randrange(6)) for n in range(90)]
    new = edited(old, edits, rng, lambda: Call("ab"[rng.randrange(2)], b"%d" % rng.randrange(10**9)))
    longest = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in reversed(range(len(old))):
        for j in reversed(range(len(new))):
            same = (old[i].component, old[i].args) == (new[j].component, new[j].args)
            longest[i][j] = max(longest[i + 1][j], longest[i][j + 1], longest[i + 1][j + 1] + same)

    assert longest[0][0] == check_pairing(old, new, pair_calls(old, new))
    assert len(old) ** 2 > module._BEST_UP_TO_CELLS


def test_a_whole_run_drawn_anew() -> None:
    """Equal calls with other outcomes stay in their places: none is told to have moved, come or gone."""
    rng = random.Random(5)
    old, new = ([Call("die", b"6", b"%d" % rng.randrange(6)) for _ in range(500)] for _ in range(2))
    pairing = pair_calls(old, new)

    assert all(pair.old == pair.new and not pair.moved for pair in pairing.others)
    assert len(old) ** 2 > module._BEST_UP_TO_CELLS


def test_one_more_among_equal_calls() -> None:
    """A call put among hundreds of the same component and input is found by what the others answered."""
    old = [Call("die", b"6", b"%d" % (n * n % 97)) for n in range(400)]
    new = [*old[:150], Call("die", b"6", b"new"), *old[150:300], Call("die", b"6", b"newer"), *old[300:]]
    pairing = pair_calls(old, new)

    assert (400, [(None, 150), (None, 301)]) == (pairing.same, [(pair.old, pair.new) for pair in pairing.others])


@given(siblings, siblings)
def test_pairs_of_sets(old: list[Call], new: list[Call]) -> None:
    """Without order as many equal subtrees are paired as there are on both sides."""
    pairing = pair_calls(old, new, ordered=False)
    check_pairing(old, new, pairing, ordered=False)

    assert pairing.same == sum(min(old.count(c), new.count(c)) for c in set(old))
    assert not any(pair.moved for pair in pairing.others)


def facts(old: Call, new: Call) -> tuple[bool, bool, bool]:
    return (old.component, old.code) != (new.component, new.code), old.args != new.args, old.outcome != new.outcome


def check_pair(pair: CallPair, old_root: Call, new_root: Call) -> None:
    """Fails unless what is said of a pair, and of all below it, is so."""
    for side, path, root in ((pair.old, pair.old_path, old_root), (pair.new, pair.new_path, new_root)):
        assert (side is None) == (path is None)
        node = root
        for i in path or ():
            node = node.children[i]
        assert side is None or side is node
    if not isinstance(pair.old, Call) or not isinstance(pair.new, Call):
        assert pair.change is (CallChange.ADDED if pair.old is None else CallChange.REMOVED)
        assert () == pair.children
        return
    code, args, outcome = facts(pair.old, pair.new)
    expected = (
        CallChange.SAME if pair.old.digest == pair.new.digest and pair.change is not CallChange.MOVED
        else CallChange.CODE if code
        else CallChange.MOVED if pair.change is CallChange.MOVED
        else CallChange.INPUT if args
        else CallChange.BELOW if pair.children
        else CallChange.NEW_SAMPLE
    )  # fmt: skip

    assert (code, args, outcome) == (pair.code_changed, pair.input_changed, pair.outcome_changed)
    assert expected is pair.change
    if pair.old.digest != pair.new.digest:
        assert len(pair.new.children) == pair.same + sum(child.new is not None for child in pair.children)
        assert len(pair.old.children) == pair.same + sum(child.old is not None for child in pair.children)
    for child in pair.children:
        check_pair(child, old_root, new_root)


def first(pair: CallPair) -> CallPair | None:
    """Returns the first divergence, by looking at everything in order."""
    if pair.change not in (CallChange.SAME, CallChange.BELOW):
        return pair
    return next((found for child in pair.children if (found := first(child)) is not None), None)


@given(calls, calls)
def test_what_is_said_is_so(old: Call, new: Call) -> None:
    """Labels, paths and counts hold for every pair, and the first divergence is the first."""
    diff = compare_calls(old, new)
    check_pair(diff.root, old, new)

    assert (old.digest == new.digest) == diff.is_same == (diff.root.change is CallChange.SAME)
    assert first(diff.root) is diff.first
    assert sum(diff.counts.values()) - diff.counts.get(CallChange.SAME, 0) == sum(
        pair.change is not CallChange.SAME for pair in diff.root.walk()
    )
    for pair in diff.root.walk():
        assert pair.cause == (pair is diff.first or pair.change in (CallChange.CODE, CallChange.NEW_SAMPLE))


@given(calls)
def test_a_run_is_the_same_as_itself(call: Call) -> None:
    """Nothing differs, and nothing is looked into."""
    diff = compare_calls(call, call)

    assert (None, {CallChange.SAME: 1}, ()) == (diff.first, diff.counts, diff.root.children)


def told(diff: CallDiff) -> list[tuple[str, tuple[int, ...] | None, tuple[int, ...] | None]]:
    return [(pair.change.value, pair.old_path, pair.new_path) for pair in diff.root.walk()]


def test_a_new_sample() -> None:
    """The dice block of the tutorial: the second roll drew anew, the sum follows."""
    old = Call("roll_sum", b"2", b"7", (Call("roll_die", b"6", b"2"), Call("roll_die", b"6", b"5")))
    new = Call("roll_sum", b"2", b"8", (Call("roll_die", b"6", b"2"), Call("roll_die", b"6", b"6")))
    diff = compare_calls(old, new)

    assert [("below", (), ()), ("new sample", (1,), (1,))] == told(diff)
    assert diff.first is diff.root.children[0]
    assert [False, True] == [pair.cause for pair in diff.root.walk()]
    assert 1 == diff.root.same


def test_an_edit_and_what_follows() -> None:
    """The revision's code changed; what was asked with its answer follows from it."""
    outline, draft = Call("outline", b"otters", b"o"), Call("draft", b"o", b"d", (Call("chat", b"p", b"d"),))
    old = Call(
        "write", b"otters", b"r", (outline, draft, Call("revise", b"d", b"r", code=b"1"), Call("title", b"r", b"t"))
    )
    new = Call(
        "write", b"otters", b"s", (outline, draft, Call("revise", b"d", b"s", code=b"2"), Call("title", b"s", b"u"))
    )
    diff = compare_calls(old, new)

    assert [("below", (), ()), ("code", (2,), (2,)), ("input", (3,), (3,))] == told(diff)
    assert diff.first is not None
    assert ("revise", True, True) == (diff.first.node.component, diff.first.cause, diff.first.outcome_changed)
    assert not diff.root.children[1].cause
    assert {CallChange.SAME: 2, CallChange.CODE: 1, CallChange.INPUT: 1, CallChange.BELOW: 1} == diff.counts


def test_added_removed_and_moved() -> None:
    """A call that went elsewhere is one that moved, not one gone and one come."""
    a, b, c, d = (Call(name, b"x") for name in "abcd")
    diff = compare_calls(Call("r", b"", b"", (a, b, c, Call("tool"))), Call("r", b"", b"", (b, c, a, d)))

    assert [("moved", (0,), (2,)), ("removed", (3,), None), ("added", None, (3,))] == told(diff)[1:]
    assert [True, False, False] == [pair.cause for pair in diff.root.children]


def test_calls_that_ran_at_the_same_time() -> None:
    """Of a set the order says nothing."""
    a, b = Call("a"), Call("b")
    old, new = Call("gather", b"", b"", (a, b)), Call("gather", b"", b"", (b, a))

    assert ["below", "moved"] == [pair.change.value for pair in compare_calls(old, new).root.walk()]
    assert compare_calls(old, new, is_set=lambda call: True).is_same


def test_what_differs_in_nothing_that_counts() -> None:
    """Subtrees whose digests differ by something else (a comment in the code) are the same."""

    @dataclass(frozen=True)
    class Marked(Call):
        mark: bytes = b""

        @functools.cached_property
        def digest(self) -> bytes:
            return self.mark + super().digest[1:]

    old, new = (Call("r", b"", b"", (Marked("a", mark=mark), Call("b"))) for mark in (b"1", b"2"))

    assert compare_calls(old, new).is_same
    assert {CallChange.SAME: 3} == compare_calls(old, new).counts


def test_deep_calls() -> None:
    """Depth is no matter."""
    old, new = Call("leaf", b"", b"1"), Call("leaf", b"", b"2")
    for _ in range(2000):
        old, new = Call("f", b"", b"", (old,)), Call("f", b"", b"", (new,))
        assert old.digest != new.digest  # made from below, one level at a time
    diff = compare_calls(old, new)

    assert diff.first is not None
    assert ("leaf", CallChange.NEW_SAMPLE, 2000) == (
        diff.first.node.component,
        diff.first.change,
        len(diff.first.new_path or ()),
    )


def test_what_is_the_same_is_not_looked_into() -> None:
    """Of equal subtrees only the digest is asked for: the rest need not be loaded."""

    class Unloaded:
        def __init__(self, digest: bytes) -> None:
            self.digest = digest

        def __getattr__(self, name: str) -> bytes:
            raise AssertionError(f"{name} was loaded")

    many = [Unloaded(b"%032d" % n) for n in range(1000)]

    @dataclass(frozen=True)
    class Root:
        children: list[object]
        digest: bytes
        component: str = "r"
        code: bytes = b""
        args: bytes = b""
        outcome: bytes = b""

    old = Root([*many[:500], Call("x", b"1", b"1"), *many[500:]], b"old")
    new = Root([*many[:500], Call("x", b"1", b"2"), *many[500:]], b"new")
    diff = compare_calls(old, new)  # type: ignore[arg-type]

    assert ["below", "new sample"] == [pair.change.value for pair in diff.root.walk()]
    assert 1000 == diff.root.same
