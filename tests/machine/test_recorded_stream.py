"""Streams of machines are recorded item by item, whole or left half-way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import gvstore as gv
from gvstore.machine import State
from gvstore.machine.steps import MachineCall
from tests.machine.test_application_stream import talking, tell, tell_slowly


@pytest.fixture
def repo(tmp_path: Path) -> Any:
    """An empty repository, open."""
    with gv.init(tmp_path) as repo:
        yield repo


def taken(run: Any) -> tuple[list[str], State[Any]]:
    """Returns a run's steps, and the state that it ended with."""
    machine = MachineCall.of_run(run.invocation, run.record)
    return [step.action for step in machine.steps()], machine.last_state()


def recorded(repo: Any) -> list[str]:
    """Looks whether the only run is whole: its steps and its state; returns the steps."""
    names, state = taken(repo.runs[1])
    assert {"count": 2, "text": "w0 w1"} == state
    return names


def test_a_stream_is_on_record(repo: Any) -> None:
    """The step is there when it was read to its end."""
    _, stream = talking(tell).build().stream_result(halt_after=["tell"])

    assert [{"word": "w0"}, {"word": "w1"}] == list(stream)
    assert ["count", "again", "tell"] == recorded(repo)


def test_an_awaited_stream_is_on_record(repo: Any) -> None:
    """So it is when it was awaited."""

    async def program() -> None:
        _, stream = await talking(tell_slowly).build().astream_result(halt_after=["tell"])
        await stream.get()

    asyncio.run(program())
    assert ["count", "again", "tell"] == recorded(repo)


@pytest.mark.parametrize("how", [tell, tell_slowly], ids=["plain", "awaited"])
def test_a_stream_that_is_left_changed_nothing(how: Any, repo: Any) -> None:
    """Its record is read, and the state after it is that before it."""

    async def program() -> None:
        app = talking(how).build()
        _, stream = await app.astream_result(halt_after=["tell"])
        async for _ in stream:
            break
        await stream.aclose()
        assert {"count": 2} == app.state

    asyncio.run(program())
    names, state = taken(repo.runs[1])
    assert ["count", "again", "tell"] == names
    assert {"count": 2} == state


def test_steps_that_nobody_goes_on_with_stand(repo: Any) -> None:
    """A loop that is left makes a run of the steps that were taken."""
    app = talking(tell).build()
    for _ in app.iterate():
        break
    assert (1, "count") == (app.state["count"], app.position)

    names, state = taken(repo.runs[1])
    assert ["count"] == names
    assert {"count": 1} == state


def test_iterated_streams_are_one_run(repo: Any) -> None:
    """Each action that `stream_iterate` comes to is a step of one run."""
    for _, stream in talking(tell).build().stream_iterate(halt_after=["tell"]):
        stream.get()

    assert ["count", "again", "tell"] == recorded(repo)
    assert 1 == len(list(repo.runs))
