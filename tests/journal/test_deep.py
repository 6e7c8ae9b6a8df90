"""Many calls and deep ones: nothing is lost, and the stack's end is the program's alone."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

import pytest

import gvstore as gv
from gvstore.journal.address import walk
from gvstore.journal.repository import Repository
from tests.journal.bodies import BODIES, note

DEEP = 1500
MANY = 100_000


@pytest.fixture
def deeper() -> Iterator[None]:
    """More stack than Python usually gives."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(12_000)
    yield
    sys.setrecursionlimit(before)


@gv.register
def sink(n: int) -> int:
    return 0 if n == 0 else 1 + sink(n - 1)


@gv.register
def endless(n: int) -> int:
    return endless(n + 1)


@gv.register
def bounded(n: int) -> str:
    note("bounded")
    try:
        endless(0)
    except RecursionError:
        return f"caught {leaf(n)}"
    return ""


@gv.register
def leaf(i: int) -> int:
    return i


@gv.register
def wide(n: int) -> int:
    total = 0
    for i in range(n):
        total += leaf(i)
    return total


def depth(repo: Repository, number: int) -> int:
    """Returns how deep the calls of a run go."""
    return max(len(path) for path, _ in walk(repo.runs[number].invocation))


def test_deep_calls_are_recorded(repo: Repository, deeper: None) -> None:
    """A thousand levels are recorded, replayed and rewound."""
    run = repo.run(sink, DEEP)

    assert (DEEP, DEEP + 1) == (run.output, run.calls)
    assert DEEP == depth(repo, 1)
    assert run.invocation == run.rewind_before((0,) * (DEEP - 1)).replay().invocation


def plain(n: int) -> int:
    return 0 if n == 0 else 1 + plain(n - 1)


@gv.register
def half_way(n: int) -> int:
    return sink(n)


def test_recorded_calls_nest_as_deep_as_plain_ones(repo: Repository) -> None:
    """The limit of Python is room for as many of them; afterwards it is what it was."""
    limit = sys.getrecursionlimit()
    here = len(inspect.stack())
    most = limit - here - 60  # the recorder itself, and pytest, stand on it too

    assert most == plain(most)
    assert most == repo.run(half_way, most).output
    assert limit == sys.getrecursionlimit()


def test_a_limit_that_the_program_sets_stays(repo: Repository) -> None:
    """What it asks for while it is recorded is not taken back."""

    @gv.register
    def modest() -> None:
        sys.setrecursionlimit(5_000)

    before = sys.getrecursionlimit()
    try:
        repo.run(modest)
        assert 5_000 == sys.getrecursionlimit()
    finally:
        sys.setrecursionlimit(before)


def test_the_end_of_the_stack_loses_no_call(repo: Repository) -> None:
    """RecursionError reaches the program, and every call that had begun is in the record."""
    performed = repo.perform(endless, (0,), {})

    assert isinstance(performed.error, RecursionError)
    run = repo.runs[1]
    assert "raised" == run.status
    assert depth(repo, 1) > 100
    assert list(range(depth(repo, 1) + 1)) == [call.args["n"] for _, call in walk(run.invocation)]


def test_a_program_goes_on_behind_the_end_of_the_stack(repo: Repository) -> None:
    """A program that catches RecursionError and calls on has those calls below the right parent."""
    run = repo.run(bounded, 7)
    BODIES.clear()
    again = run.rewind(1).replay()

    assert "caught 7" == run.output
    assert ["endless", "leaf"] == [call.name for call in run.invocation.get_children()]
    assert depth(repo, 1) > 100
    assert ["bounded"] == BODIES
    assert "caught 7" == again.output
    assert [] == [each for each in repo.fsck() if each.damage]


def test_the_end_of_the_stack_in_memory(repo: Repository) -> None:
    """Without a journal the innermost calls may be lost, the rest is not."""
    with gv.InMemoryStore():
        invocation = gv.invoke(bounded, (7,))

    assert "caught 7" == invocation.output
    assert "leaf" == invocation.get_child(-1).name


def test_a_hundred_thousand_children(repo: Repository) -> None:
    """One call may make very many; any of them is read at once."""
    run = repo.run(wide, MANY)

    assert MANY == len(run.invocation)
    assert MANY - 1 == run.invocation.get_child(MANY - 1).output
    again = run.rewind(1).replay()
    assert {"calls": MANY + 1, "executed": 2, "reused": MANY - 1} == again.record.counts
    assert run.invocation == again.invocation
