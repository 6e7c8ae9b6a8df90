"""Recorded runs compared: the same as if every call were read, though most are not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from hypothesis import given, settings
from hypothesis import strategies as st

import gvstore as gv
from gvstore.compare.calls import CallDiff, CallNode, CallPair, compare_calls
from gvstore.journal.compare import compare_invocations
from gvstore.journal.invocation import Invocation
from gvstore.journal.repository import Repository
from gvstore.objects import number
from gvstore.objects.invocation import PartList, part_digest
from gvstore.objects.oid import ObjectId
from gvstore.objects.sequence import ItemList
from gvstore.objects.wire import pack
from gvstore.odb import MemoryDatabase

ANSWERS: dict[tuple[int, ...], int] = {}


@gv.register
def node(path: tuple[int, ...], shape: list[int]) -> int:
    """Makes as many calls as the first number says, each of which takes the rest."""
    count = shape[0] if shape else 0
    return ANSWERS.get(path, 0) + sum(node((*path, i), shape[1:]) for i in range(count))


@gv.register
def row(numbers: list[int]) -> int:
    return sum(one(i) for i in numbers)


@gv.register
def one(i: int) -> int:
    return ANSWERS.get((i,), i)


@gv.register
async def seen(city: str) -> str:
    return city


@gv.register
async def crowd(cities: list[str]) -> list[str]:
    return sorted(await asyncio.gather(*map(seen, cities)))


@dataclass(frozen=True)
class Plain:
    """A call with everything read, its digest the oid."""

    call: Invocation

    @property
    def component(self) -> str:
        return self.call.component.name

    @property
    def code(self) -> bytes:
        return self.call.component.code

    @property
    def args(self) -> bytes:
        return self.call.call.state + self.call.call.args

    @property
    def outcome(self) -> bytes:
        return self.call.call.outcome

    @property
    def digest(self) -> bytes:
        return part_digest(self.call.part)

    @cached_property
    def children(self) -> Sequence[CallNode]:
        return [Plain(child) for child in self.call.get_children()]


def told(diff: CallDiff) -> list[tuple[object, ...]]:
    def row_of(pair: CallPair) -> tuple[object, ...]:
        return pair.change, pair.old_path, pair.new_path, pair.cause, pair.same

    return [*map(row_of, diff.root.walk()), *diff.counts.items(), row_of(diff.first) if diff.first else ()]


def recorded(answers: dict[tuple[int, ...], int], shape: list[int]) -> Invocation:
    ANSWERS.clear()
    ANSWERS.update(answers)
    return gv.invoke(node, ((), shape))


paths = st.lists(st.integers(0, 3), max_size=3).map(tuple)
runs = st.tuples(st.dictionaries(paths, st.integers(0, 3), max_size=4), st.lists(st.integers(0, 4), max_size=3))


@settings(max_examples=40, deadline=None)
@given(runs, runs)
def test_runs_compare_as_if_all_of_them_were_read(
    old: tuple[dict[tuple[int, ...], int], list[int]], new: tuple[dict[tuple[int, ...], int], list[int]]
) -> None:
    """Pairs, labels, counts and the first divergence are those of the plain calls."""
    with gv.InMemoryStore():
        before, after = recorded(*old), recorded(*new)

        assert told(compare_calls(Plain(before), Plain(after))) == told(compare_invocations(before, after))


def test_of_long_runs_only_what_differs_is_made(repo: Repository) -> None:
    """Two thousand calls with three edits: the pairs are those of the plain calls."""
    ANSWERS.clear()
    before = repo.run(row, list(range(2000)))
    ANSWERS.update({(7,): 0, (1999,): 0})
    after = repo.run(row, [*range(1000), -5, *range(1000, 2000)])
    diff = compare_invocations(before.invocation, after.invocation)

    assert told(compare_calls(Plain(before.invocation), Plain(after.invocation))) == told(diff)
    assert {"new sample": 2, "added": 1, "input": 1, "same": 1998} == {k.value: v for k, v in diff.counts.items()}


def test_calls_that_ran_at_the_same_time_are_a_set(repo: Repository) -> None:
    """Another order of tasks is no difference of calls."""
    before = gv.run_async(crowd, ["Lima", "Oslo", "Rome"])
    after = gv.run_async(crowd, ["Rome", "Lima", "Oslo"])
    with repo:
        old, new = asyncio.run(_both(before, after))
    diff = compare_invocations(old.invocation, new.invocation)

    assert {"input": 1, "same": 3} == {change.value: count for change, count in diff.counts.items()}


async def _both(*runs: object) -> list[gv.Run[list[str]]]:
    return [await each for each in runs]  # type: ignore[misc]


@given(st.integers(0, 700), st.integers(0, 700), st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_lists_are_gathered_whole(old: int, new: int, step: int) -> None:
    """With what another list has in common known, or not."""
    db = MemoryDatabase()
    known: dict[ObjectId, list[bytes]] = {}
    for count, by in ((old, 1), (new, step)):
        items = [pack(i // 3 * by) for i in range(count)]
        made = ItemList(db, number.LIST)
        made.extend(items)
        data = made.finish()

        assert items == PartList(data, db).gathered(known) == PartList(data, db).gathered({})
