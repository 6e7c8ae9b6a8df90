"""Arguments and instances that calls change: recorded as they were afterwards, and brought there by a replay."""

from __future__ import annotations

import collections
import copy
from dataclasses import dataclass, field
from typing import Any

import pytest

import gvstore as gv
from gvstore.journal.repository import Repository
from tests.journal.bodies import BODIES, note


@dataclass
class Plan:
    steps: list[str] = field(default_factory=list)
    done: int = 0


@gv.register
def change(value: Any, how: str = "", *more: Any, **named: Any) -> str:
    """Changes what it is given, by its type."""
    note("change")
    if isinstance(value, Plan):
        value.steps.append("next")
        value.done += 1
    elif isinstance(value, dict):
        value["new"] = value.pop("old", [])
        value.setdefault("list", []).append(3)
    elif isinstance(value, set):
        value.add(9)
    else:
        value.extend(b"x" if isinstance(value, bytearray) else [[4]])
    for each in (*more, *named.values()):
        each.append("more")
    return how


VALUES: list[Any] = [
    [1, [2]], {"old": 1, "list": [2]}, {1, 2}, bytearray(b"ab"), Plan(["a"], 1), collections.deque([1]),
    collections.OrderedDict(old=2), collections.defaultdict(list, old=[5]), list(range(2000)),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_what_a_call_changes_is_changed_by_its_record(repo: Repository, value: Any) -> None:
    """The body does not run, and the program's own object is what it became when it was recorded."""
    seen: list[Any] = []

    @gv.register
    def root() -> Any:
        mine = copy.deepcopy(value)
        seen.append(mine)
        change(mine)
        return mine

    run = repo.run(root)
    BODIES.clear()
    again = run.rewind(0).replay(strict=True)
    (call,) = run.invocation.get_children()

    assert value == call.args["value"] != run.output
    assert run.output == again.output == seen[0] == seen[1] == call.changed["value"]
    assert ([], run.invocation.oid) == (BODIES, again.invocation.oid)


def test_only_what_changed_is_recorded(repo: Repository) -> None:
    """Every argument that changed, however it was given, and no other."""

    @gv.register
    def root() -> Any:
        lists: list[list[int]] = [[], [], [], []]
        change(lists[0], "how", lists[1], key=lists[2])
        change(lists[3], how="x")
        return lists

    run = repo.run(root)
    first, second = run.invocation.get_children()

    assert {"value": [[4]], "more": (["more"],), "named": {"key": ["more"]}} == first.changed
    assert {"value": [[4]]} == second.changed
    assert {} == repo.run(len_of, [1]).invocation.changed
    assert run.output == run.rewind(0).replay(strict=True).output


@gv.register
def len_of(value: list[int]) -> int:
    return len(value)


def test_who_else_holds_it_sees_it_too(repo: Repository) -> None:
    """What did not change stays the very object it is; lists under a name are brought along in place."""
    kept: list[Any] = []

    @gv.register
    def grow(state: dict[str, Any], items: list[Any]) -> None:
        state["log"].append("grown")
        items.append(1)

    @gv.register
    def root() -> Any:
        log, first = ["start"], {"a": 1}
        state, items = {"log": log, "other": first}, [first]
        grow(state, items)
        kept.append((state["log"] is log, state["other"] is first, items[0] is first))
        return state, items

    run = repo.run(root)
    again = run.rewind(0).replay(strict=True)

    assert run.output == again.output
    assert [(True, True, True)] * 2 == kept


def test_a_call_that_raised_has_changed_its_arguments_too(repo: Repository) -> None:
    """A failure before a retry is answered, and so is what it had changed."""

    @gv.register
    def push(items: list[int]) -> int:
        items.append(len(items))
        if len(items) < 2:
            raise ValueError("again")
        return len(items)

    @gv.register
    def root() -> list[int]:
        items: list[int] = []
        other: list[int] = []
        for each in (items, other, items, other):
            try:
                push(each)
            except ValueError:
                continue
        return items + other

    run = repo.run(root)

    assert [0, 1, 0, 1] == run.output == run.rewind(1).replay().output
    assert {"items": [0]} == run.invocation.get_child(0).changed


def test_invoke_forbids_it(repo: Repository) -> None:
    """Under enact's contract a call that changes its argument has failed."""
    with pytest.raises(gv.InputChanged):
        gv.invoke(change, ([1],))


class Counter:
    """An ordinary class: no dataclass, no wrapper."""

    __slots__ = ("__dict__", "total")

    def __init__(self, total: int) -> None:
        self.total = total
        self.seen: list[int] = []
        self.lock = object()

    @gv.register
    def add(self, n: int) -> int:
        note(n)
        self.total += n
        self.seen.append(n)
        return self.total

    @gv.register
    async def add_later(self, n: int) -> int:
        return self.add(n)

    @gv.register
    def __call__(self, n: int) -> int:
        return self.add(n) * 2


@pytest.mark.filterwarnings("ignore::gvstore.OpaqueWarning")
def test_an_instance_is_the_state_of_its_methods(repo: Repository) -> None:
    """Before and after are recorded; a replay brings the instance there, what cannot be stored of it stays."""
    locks: list[Any] = []

    @gv.register
    def root() -> Any:
        counter = Counter(10)
        seen, lock = counter.seen, counter.lock
        first = counter.add(1)
        second = counter(5)
        locks.append(counter.lock is lock and counter.seen is seen)
        return first, second, counter.total, seen

    run = repo.run(root)
    first, second = run.invocation.get_children()
    BODIES.clear()
    again = run.rewind(0).replay(strict=True)

    assert (11, 32, 16, [1, 5]) == run.output == again.output
    assert (10, []) == (first.state.total, first.state.seen)
    assert (11, [1]) == (second.state.total, second.state.seen)
    assert ([], [True, True]) == (BODIES, locks)


@pytest.mark.filterwarnings("ignore::gvstore.OpaqueWarning")
def test_other_state_is_another_call(repo: Repository) -> None:
    """The same method with the same arguments on an instance in another state is not the recorded call."""
    start = [1]

    @gv.register
    def root() -> int:
        return Counter(start[0]).add(1)

    run = repo.run(root)
    start[0] = 2
    BODIES.clear()

    assert (2, 3) == (run.output, run.rewind(0).replay().output)
    assert [1] == BODIES


@pytest.mark.filterwarnings("ignore::gvstore.OpaqueWarning")
def test_a_method_at_the_top(repo: Repository) -> None:
    """What is run may be a method or an object; a replay makes the instance anew, without its constructor."""
    runs = [repo.run(Counter(1).add, 2), repo.run(Counter(1), 2)]

    assert [3, 6] == [run.output for run in runs]
    assert [3, 6] == [run.rewind(0).replay().output for run in runs]
