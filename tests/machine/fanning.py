"""Parallel actions that many tests build on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from gvstore.machine import (
    Action,
    Application,
    ApplicationBuilder,
    MapActions,
    MapActionsAndStates,
    MapStates,
    State,
    SubGraphTask,
    TaskBasedParallelAction,
    action,
)
from gvstore.machine.parallel_action import called


@action(reads=["number"], writes=["answer"])
def square(state: State[Any], plus: int = 0) -> State[Any]:
    """Squares."""
    return state.update(answer=state["number"] ** 2 + plus)


@action(reads=["number"], writes=["answer"])
async def asquare(state: State[Any], plus: int = 0) -> State[Any]:
    """Squares, awaited."""
    return state.update(answer=state["number"] ** 2 + plus)


def answers(states: Any) -> list[Any]:
    """Returns what the branches answered, and the errors of those that failed."""
    return [each["answer"] if isinstance(each, State) else each for each in states]


class OfNumbers:
    """What is the same in all of them: numbers are read, answers are written."""

    reads: ClassVar = ["numbers"]
    writes: ClassVar = ["answers"]

    def reduce(self, state: State[Any], states: Any) -> State[Any]:
        """Returns the answers in order."""
        return state.update(answers=answers(states))


class Squares(OfNumbers, MapStates):
    """Squares each number."""

    def action(self, state: State[Any], inputs: dict[str, Any]) -> Any:
        """Returns the action."""
        return square

    def states(self, state: State[Any], context: Any, inputs: dict[str, Any]) -> Iterator[State[Any]]:
        """Yields a state a number."""
        for number in state["numbers"]:
            yield state.update(number=number)


class Several(OfNumbers, MapActions):
    """Adds 0, 1, 2 to the square of the first number."""

    def actions(self, state: State[Any], inputs: dict[str, Any], context: Any) -> Any:  # type: ignore[override]
        """Yields the actions; the order of the parameters is that of Burr's documentation."""
        for plus in range(3):
            yield square.bind(plus=plus).with_name(f"plus_{plus}")

    def state(self, state: State[Any], inputs: dict[str, Any]) -> State[Any]:
        """Returns the state of all branches."""
        return state.update(number=state["numbers"][0])


class Product(OfNumbers, MapActionsAndStates):
    """Adds 0 and 100 to the square of each number."""

    def actions(self, state: State[Any], context: Any, inputs: dict[str, Any]) -> Any:
        """Returns the actions."""
        return [square, square.bind(plus=100)]

    def states(self, state: State[Any], context: Any, inputs: dict[str, Any]) -> Any:
        """Returns the states."""
        return [state.update(number=number) for number in state["numbers"]]


class Tasks(OfNumbers, TaskBasedParallelAction):
    """Runs what a function says."""

    def __init__(self, make: Callable[..., Any], **rules: Any) -> None:
        super().__init__()
        self._make = make
        for name, value in rules.items():
            setattr(self, name, value)

    def tasks(self, state: State[Any], context: Any, inputs: dict[str, Any]) -> Any:
        """Returns what the function says."""
        return called(self._make, state, context, inputs)


def each_number(run: Any = square, **of_task: Any) -> Callable[..., Any]:
    """Returns what yields a task of an action for each number."""

    def tasks(state: State[Any], context: Any, inputs: dict[str, Any]) -> Iterator[SubGraphTask]:
        for number in state["numbers"]:
            yield SubGraphTask(graph=run, inputs=inputs, state=state.update(number=number), **of_task)

    return tasks


def builder(parallel: Action, numbers: list[int] | None = None) -> ApplicationBuilder[Any]:
    """Returns the builder of an application of one parallel step, `fan`."""
    return (
        ApplicationBuilder()
        .with_actions(fan=parallel)
        .with_state(numbers=[1, 2, 3] if numbers is None else numbers)
        .with_identifiers(app_id="parent", partition_key="north")
    )


def built(parallel: Action, numbers: list[int] | None = None) -> Application[Any]:
    """Returns an application of one parallel step."""
    return builder(parallel, numbers).build()
