"""`with gv.record(...)`: a block is a run; inside a recording it is a call."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import gvstore as gv
from gvstore.journal.repository import Repository
from tests.journal.bodies import BODIES, note


@gv.register
def leaf(i: int) -> int:
    note(i)
    return i * 2


def test_a_block_is_a_run(repo: Repository) -> None:
    """What happens in it is recorded, with what was given to it and what it says came of it."""
    with gv.record("request", message="why", question="q") as request:
        request.output = leaf(1) + leaf(2)

    run = request.run
    assert ("run/1", "ok", "request", "why") == (run.name, run.status, run.record.target, run.record.message)
    assert ({"question": "q"}, 6) == (run.invocation.args, run.output)
    assert [1, 2] == [call.args["i"] for call in run.invocation.get_children()]
    assert 2 == leaf(1) and 1 == len(repo.runs)


def test_a_block_that_raises(repo: Repository) -> None:
    """The exception goes on, and the run is kept."""
    with pytest.raises(ValueError), gv.record("request"):
        leaf(1)
        raise ValueError("no")

    run = repo.runs.last
    assert run is not None
    assert ("raised", 1) == (run.status, len(run.invocation))
    assert "ValueError: no" in run.record.traceback


def test_a_block_that_is_awaited(repo: Repository) -> None:
    """Tasks in it are recorded below it."""

    async def serve(n: int) -> Any:
        async with gv.record("request", n=n) as request:
            await asyncio.gather(*(asyncio.to_thread(leaf, i) for i in range(n)))
        return request.run

    async def two() -> list[Any]:
        return [await serve(2), await serve(3)]

    runs = asyncio.run(two())

    assert [[0, 1], [0, 1, 2]] == [[c.args["i"] for c in run.invocation.get_children()] for run in runs]


def test_a_block_inside_a_call_is_a_call(repo: Repository) -> None:
    """It groups what happens in it; at a replay its calls are answered, and it is told so."""

    @gv.register
    def root() -> int:
        with gv.record("part", n=1) as part:
            part.output = leaf(1)
        with pytest.raises(gv.InvocationError):
            _ = part.run
        return leaf(2)

    run = repo.run(root)
    (part, _) = run.invocation.get_children()
    BODIES.clear()
    again = run.rewind(0).replay(strict=True)

    assert ("part", {"n": 1}, 2) == (part.name, part.args, part.output)
    assert [1] == [call.args["i"] for call in part.get_children()]
    assert ([], run.invocation.oid) == (BODIES, again.invocation.oid)


def test_a_block_into_a_store_in_memory() -> None:
    """It is an invocation there."""
    with gv.InMemoryStore(), gv.record("request") as request:
        leaf(1)

    assert 1 == len(request.invocation)
    with pytest.raises(gv.InvocationError):
        _ = request.run


def test_runs_by_number_and_by_slices(repo: Repository) -> None:
    """One by its number, several by a range of them, the oldest first; negative numbers count from the newest."""
    for i in range(5):
        repo.run(leaf, i)
    runs = repo.runs

    assert ["run/3", "run/5"] == [runs[3].name, runs[-1].name]
    assert [2, 3] == [run.number for run in runs[2:4]]
    assert [4, 5] == [run.number for run in runs[-2:]]
    assert [5, 3, 1] == [run.number for run in runs[::-2]]
    assert [5, 4, 3, 2, 1] == [run.number for run in runs]
    assert [] == runs[9:] and [] == runs[:1]
    with pytest.raises(gv.GvError):
        runs[-9]
