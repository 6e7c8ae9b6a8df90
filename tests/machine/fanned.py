"""Machines with parallel steps that many tests run, and one that is killed: `python -m tests.machine.fanned PLACE run|replay`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gvstore as gv
from gvstore.machine import ApplicationBuilder, GraphBuilder, MapStates, RunnableGraph, State, action

PLACE: list[str] = []  # where notes are taken
DYING: list[int] = []  # the branch in which the process kills itself, when all others are past their first step
BRANCHES = 4
_past = threading.Barrier(BRANCHES)


def note(text: str) -> None:
    """Appends a line to a file, in one write."""
    fd = os.open(Path(PLACE[0]) / "ran", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(fd, f"{text}\n".encode())
    os.close(fd)


@action(reads=["number"], writes=["half"])
def first(state: State[Any]) -> State[Any]:
    """Ends in all branches."""
    note(f"first {state['number']}")
    return state.update(half=state["number"] * 10)


@action(reads=["number", "half"], writes=["whole"])
def second(state: State[Any]) -> State[Any]:
    """Ends in all branches but the last, in which the process dies."""
    number = state["number"]
    note(f"second {number}")
    if DYING and number == BRANCHES - 1:
        _past.wait()
        os.kill(os.getpid(), signal.SIGKILL)
    return state.update(whole=state["half"] + number)


@action(reads=["number", "whole"], writes=["told"])
def third(state: State[Any]) -> State[Any]:
    """Ends in no branch of the process that dies."""
    note(f"third {state['number']}")
    if DYING:
        _past.wait()
        threading.Event().wait()
    return state.update(told=f"{state['number']}: {state['whole']}")


class Branches(MapStates):
    """Four branches of three steps."""

    @property
    def reads(self) -> list[str]:
        """The numbers."""
        return ["numbers"]

    @property
    def writes(self) -> list[str]:
        """What each branch told."""
        return ["told"]

    def action(self, state: State[Any], inputs: dict[str, Any]) -> RunnableGraph:
        """Returns the graph of the three steps."""
        graph = GraphBuilder().with_actions(first, second, third).with_transitions(("first", "second"), ("second", "third")).build()
        return RunnableGraph(graph, "first", ["third"])

    def states(self, state: State[Any], context: Any, inputs: dict[str, Any]) -> Iterator[State[Any]]:
        """Yields a state for each number."""
        for number in state["numbers"]:
            yield state.update(number=number)

    def reduce(self, state: State[Any], states: Any) -> State[Any]:
        """Returns what all told."""
        note("reduce")
        return state.update(told=[each["told"] for each in states])


fanned = (
    ApplicationBuilder()
    .with_actions(branches=Branches())
    .with_state(numbers=list(range(BRANCHES)))
    .with_identifiers(app_id="fanned")
    .build()
)

if __name__ == "__main__":
    from tests.machine import fanned as program

    program.PLACE.append(sys.argv[1])
    with gv.open(sys.argv[1]) as repo:
        if sys.argv[2] == "run":
            program.DYING.append(1)
            program.fanned.run()
        else:
            run = repo.runs[len(repo.runs)].replay()
            sys.stdout.write(f"{run.status} {run.record.counts}\n")
