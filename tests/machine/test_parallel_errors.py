"""What is wrong with parallel steps is told in one sentence, with what to type."""

from __future__ import annotations

from typing import Any

import pytest

from gvstore.errors import UsageFault
from gvstore.machine import (
    MapStates,
    RunnableGraph,
    State,
    SubGraphTask,
    TaskBasedParallelAction,
    TaskFault,
    map_reduce_action,
)
from gvstore.machine.action_fault import ActionFault, WrongReturn
from gvstore.machine.application_fault import UnknownInput
from gvstore.machine.finding import MachineFault
from gvstore.machine.graph import UnknownAction
from tests.machine.counting import counter
from tests.machine.fanning import OfNumbers, Squares, Tasks, built, each_number, square

STATE: State[Any] = State({"number": 1})


def undecorated(state: State[Any]) -> State[Any]:
    """No action."""
    return state


def task(**fields: Any) -> SubGraphTask:
    """Returns a task of `square`."""
    return SubGraphTask(**{"graph": square, "state": STATE, **fields})


@pytest.mark.parametrize(
    ("tasks", "told", "hint"),
    [
        ([], "action fan has 0 tasks, and at least 1 is expected", "least = 0"),
        (None, r"tasks\(\) of action fan returned None: is there a `yield`", "yield SubGraphTask"),
        ([square], "task 0 of action fan is no SubGraphTask: it is function", "yield SubGraphTask"),
        ([task(), 7], "task 1 of action fan is no SubGraphTask: it is int", "yield SubGraphTask"),
        ("text", "task 0 of action fan is no SubGraphTask: it is str", "yield SubGraphTask"),
        ([task(key="a"), task(), task(key="a")], "tasks 0 and 2 of action fan have the same key 'a'", "Give each its own"),
        ([task(application_id="x"), task(application_id="x")], "tasks 0 and 1 of action fan have the same application_id 'x'", "its own"),
        ([task(key="1"), task()], "tasks 0 and 1 of action fan have the same", "its own"),
        ([task(graph=7)], "a branch runs an action or a graph, not int: 7", "Give an action"),
        ([task(graph=undecorated)], "not the function undecorated, which has no @action", "decorated with @action"),
        ([task(graph=Squares)], r"not the class Squares: give an instance, Squares\(...\)", "Give an action"),
        ([task(state=7)], r"the state of task 0 of action fan is int \(7\), and no State", "state.update"),
        ([task(inputs=7)], r"inputs of task 0 of action fan are int \(7\)", "Type inputs="),
        ([task(retry="x")], "retry='x': it is a Retry or a number of attempts", "Retry"),
        ([task(timeout=-1)], "timeout=-1: it is a number of seconds above 0", "timeout=30"),
    ],
)
def test_tasks_that_cannot_be_meant(tasks: Any, told: str, hint: str) -> None:
    """Nothing of the step has run."""
    app = built(Tasks(lambda: tasks))
    with pytest.raises(ActionFault, match=told) as caught:
        app.run()
    assert hint in caught.value.hint
    assert {"numbers": [1, 2, 3]} == app.state


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"fail": "fats"}, "fail='fats' of action fan is no way to fail"),
        ({"limit": 0}, "limit=0 of action fan: it is a whole number, at least 1"),
        ({"limit": "3"}, "limit='3' of action fan"),
        ({"limit": True}, "limit=True of action fan"),
        ({"least": -1}, "least=-1 of action fan: it is a whole number, at least 0"),
        ({"task_retry": 0}, "max_attempts=0"),
        ({"task_timeout": "1"}, "timeout='1'"),
    ],
)
def test_rules_that_cannot_be_meant(rules: dict[str, Any], told: str) -> None:
    """They are found before a task is asked for; a near word is named."""
    with pytest.raises(ActionFault, match=told) as caught:
        built(Tasks(each_number(), **rules)).run()
    if "fail" in rules:
        assert "Did you mean fast?" in caught.value.hint


@pytest.mark.parametrize(
    ("returned", "told"),
    [(None, "None"), ({"answers": 1}, "dict"), ([STATE], "list"), (({}, STATE), "tuple")],
)
def test_reduce_returns_a_state(returned: Any, told: str) -> None:
    """What it returns otherwise is told."""

    class Wrong(Tasks):
        def reduce(self, state: State[Any], states: Any) -> Any:
            return returned

    with pytest.raises(WrongReturn, match=f"action fan must return a State from reduce, and returned {told}"):
        built(Wrong(each_number())).run()


def test_reduce_that_is_async_in_a_sync_action() -> None:
    """It is told that something to await came back."""

    async def later(state: State[Any]) -> State[Any]:
        return state

    class Wrong(Tasks):
        def reduce(self, state: State[Any], states: Any) -> Any:
            return later(state)

    with pytest.raises(WrongReturn, match="something to await: the action is not async"):
        built(Wrong(each_number())).run()


def test_a_field_that_a_branch_lacks_is_named_with_the_branch() -> None:
    """The note says where a branch's fields come from."""
    with pytest.raises(MachineFault, match="square reads number, which nobody writes") as caught:
        built(Tasks(lambda: [task(state=None)])).run()
    assert ["in branch 0 of action fan, which begins with the fields that this action reads and those that its task adds"] == caught.value.__notes__


def test_an_input_that_no_action_takes() -> None:
    """It is an error in a branch as in an application."""
    with pytest.raises(UnknownInput, match="no action takes an input plsu") as caught:
        built(Tasks(each_number())).run(inputs={})
        built(Tasks(lambda: [task(inputs={"plsu": 1})])).run()
    assert "plus" in caught.value.hint


def test_graphs_that_cannot_be_run() -> None:
    """A RunnableGraph looks at what it is given."""
    graph = counter().build().graph
    with pytest.raises(TaskFault, match="a RunnableGraph has a graph, not function"):
        RunnableGraph(square, "square", ["square"])  # type: ignore[arg-type]
    with pytest.raises(UnknownAction, match="cuont") as caught:
        RunnableGraph(graph, "cuont", [])
    assert "count" in caught.value.hint
    with pytest.raises(UsageFault, match="finsh"):
        built(Tasks(lambda: [SubGraphTask(RunnableGraph(graph, "count", ["finsh"]), {}, State({"count": 0}))])).run()


def test_outside_of_an_application() -> None:
    """A parallel action that is called by itself says that it needs one."""
    with pytest.raises(TaskFault, match="action Squares runs its branches below an application, and is in none"):
        Squares().run_and_update(State({"numbers": [1]}))


def test_cascades_and_functions() -> None:
    """A word that is not "cascade", and what is no function, are told."""

    class Wrong(Squares):
        def tracker(self, **kwargs: Any) -> Any:
            return "casacde"

    with pytest.raises(TaskFault, match=r"tracker\(\) of action fan returned 'casacde'"):
        built(Wrong()).run()
    with pytest.raises(TaskFault, match="state= of map_reduce_action is 7, and no function"):
        map_reduce_action(square, 7, undecorated, [], [])  # type: ignore[arg-type]
    with pytest.raises(TaskFault, match="a branch runs an action or a graph, not int: 7"):
        map_reduce_action(7, undecorated, undecorated, [], [])
    with pytest.raises(TypeError, match="limti"):
        map_reduce_action(square, undecorated, undecorated, [], [], limti=3)


def test_a_class_that_lacks_a_method_is_no_action() -> None:
    """Python says which methods are missing."""

    class Half(OfNumbers, MapStates):
        def action(self, state: State[Any], inputs: dict[str, Any]) -> Any:
            return square

    with pytest.raises(TypeError, match="states"):
        Half()  # type: ignore[abstract]
    with pytest.raises(TypeError, match="tasks"):
        TaskBasedParallelAction()  # type: ignore[abstract]
