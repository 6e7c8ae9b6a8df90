"""Parallel actions that map: several actions over one state, one over several, or each over each.

    MapActionsAndStates     actions(...) x states(...)
    ├── MapActions          actions(...) over state(...)
    ├── MapStates           action(...) over states(...)
    └── PassThroughMapActionsAndStates      of functions; map_reduce_action makes it

A branch is known by the number of its action and that of its state, "0-2".
"""

from __future__ import annotations

import abc
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from gvstore.errors import GvError
from gvstore.machine.action_class import Action, Inputs
from gvstore.machine.component import BranchComponent, MapReduceComponent
from gvstore.machine.context import ApplicationContext
from gvstore.machine.graph import Graph
from gvstore.machine.node import MARK
from gvstore.machine.parallel_action import CONTEXT, TaskBasedParallelAction, alisted, called, listed
from gvstore.machine.parallel_fault import TaskFault
from gvstore.machine.runnable import RunnableGraph
from gvstore.machine.state import State
from gvstore.machine.task import SubGraphTask

CASCADE: Final = "cascade"


class MapActionsAndStates(TaskBasedParallelAction, abc.ABC):
    """Runs each action (or graph) that `actions` yields over each state that `states` yields.

    Where there are none of either, `reduce` is given none.
    """

    least = 0

    @abc.abstractmethod
    def actions(self, state: State[Any], context: ApplicationContext, inputs: dict[str, Any]) -> Any:
        """Yields actions, decorated functions, or graphs."""

    @abc.abstractmethod
    def states(self, state: State[Any], context: ApplicationContext, inputs: dict[str, Any]) -> Any:
        """Yields states."""

    def state_persister(self, **kwargs: Any) -> Any:
        """Returns the branches' persister: "cascade" for the application's, None, or one of their own."""
        return CASCADE

    def state_initializer(self, **kwargs: Any) -> Any:
        """Returns what branches go on from: "cascade" for the application's, None, or one of their own."""
        return CASCADE

    def tracker(self, **kwargs: Any) -> Any:
        """Returns the branches' tracker: "cascade" for the application's, None, or one of their own."""
        return CASCADE

    def _methods(self) -> Iterable[Callable[..., Any]]:
        return (self.actions, self.states, self.reduce)

    def tasks(self, state: State[Any], context: ApplicationContext, inputs: dict[str, Any]) -> Any:
        """Yields a task for each action and state."""
        return self._atasks(state, context, inputs) if self.is_async() else self._tasks(state, context, inputs)

    def _tasks(self, state: State[Any], context: ApplicationContext, inputs: dict[str, Any]) -> Iterator[SubGraphTask]:
        actions = listed(called(self.actions, state, context, inputs), self._label, "actions")
        states = listed(called(self.states, state, context, inputs), self._label, "states")
        yield from self._product(actions, states, context, inputs)

    async def _atasks(self, state: State[Any], context: ApplicationContext, inputs: dict[str, Any]) -> AsyncIterator[SubGraphTask]:
        actions = await alisted(called(self.actions, state, context, inputs), self._label, "actions")
        states = await alisted(called(self.states, state, context, inputs), self._label, "states")
        for task in self._product(actions, states, context, inputs):
            yield task

    def _product(
        self, actions: Sequence[Any], states: Sequence[Any], context: ApplicationContext, inputs: dict[str, Any]
    ) -> Iterator[SubGraphTask]:
        for i, each in enumerate(actions):
            graph = RunnableGraph.create(each)
            for j, state in enumerate(states):
                initializer = self._cascaded("state_initializer", context.state_initializer)
                persister = self._cascaded("state_persister", context.state_persister)
                if initializer is not None and context.state_persister is context.state_initializer and (
                    self.state_initializer() == self.state_persister() == CASCADE
                ):
                    persister = initializer
                yield SubGraphTask(
                    graph=graph, inputs=inputs, state=state, key=f"{i}-{j}", tracker=self._cascaded("tracker", context.tracker),
                    state_persister=persister, state_initializer=initializer,
                )  # fmt: skip

    def _cascaded(self, what: str, parents: Any) -> Any:
        given = getattr(self, what)()
        if not isinstance(given, str):
            return given
        if given != CASCADE:
            raise TaskFault(f'{what}() of action {self._label} returned {given!r}: it is "cascade", None or an object', hint='Type return "cascade".')
        copy = getattr(parents, "copy", None)
        return copy() if callable(copy) else parents


class MapActions(MapActionsAndStates, abc.ABC):
    """Runs each action that `actions` yields over one state."""

    def state(self, state: State[Any], inputs: dict[str, Any]) -> Any:
        """Returns the state that the branches begin with; here the step's."""
        return state

    def states(self, state: State[Any], context: ApplicationContext, inputs: dict[str, Any]) -> Any:
        """Returns the one state."""
        return called(self.state, state, context, inputs)

    def _methods(self) -> Iterable[Callable[..., Any]]:
        return (self.actions, self.state, self.reduce)


class MapStates(MapActionsAndStates, abc.ABC):
    """Runs one action over each state that `states` yields."""

    @abc.abstractmethod
    def action(self, state: State[Any], inputs: dict[str, Any]) -> Any:
        """Returns the action, decorated function, or graph."""

    def actions(self, state: State[Any], context: ApplicationContext, inputs: dict[str, Any]) -> Any:
        """Returns the one action."""
        return called(self.action, state, context, inputs)

    def _methods(self) -> Iterable[Callable[..., Any]]:
        return (self.action, self.states, self.reduce)


class PassThroughMapActionsAndStates(MapActionsAndStates):
    """The same of functions: `action` is an action, a list of them, or a function that yields them; `state` one that yields states.

    Its code is that of the functions.
    """

    def __init__(
        self,
        action: Any,
        state: Callable[..., Any],
        reducer: Callable[..., Any],
        reads: Sequence[str],
        writes: Sequence[str],
        inputs: Inputs = (),
        *,
        limit: int | None = None,
        fail: str = "fast",
        task_retry: Any = None,
        task_timeout: float | None = None,
        awaits: bool = False,
    ) -> None:
        super().__init__()
        for name, each in (("state", state), ("reducer", reducer)):
            if not callable(each):
                raise TaskFault(f"{name}= of map_reduce_action is {each!r}, and no function", hint="Type def states(state, context, inputs), and def reducer(state, states).")
        self._action, self._state, self._reducer = action, state, reducer
        self._reads, self._writes, self._inputs = list(reads), list(writes), inputs
        self._awaits = awaits
        self.limit, self.fail, self.task_retry, self.task_timeout = limit, fail, task_retry, task_timeout
        self._choose = None if _is_graph(action) or isinstance(action, list | tuple) else action
        if self._choose is not None and not callable(self._choose):
            RunnableGraph.create(action)
        self._component = MapReduceComponent(reducer, tuple(each for each in (state, self._choose) if each is not None))
        self._branch_component = BranchComponent(*self._owner)

    @property
    def _owner(self) -> tuple[str, str]:
        return self._component.module, self._component.qualname

    @property
    def reads(self) -> Any:
        """The keys that it reads."""
        return self._reads

    @property
    def writes(self) -> Any:
        """The keys that it writes."""
        return self._writes

    @property
    def inputs(self) -> Any:
        """The inputs that it takes."""
        given = self._inputs
        if isinstance(given, tuple) and len(given) == 2 and not isinstance(given[0], str):
            return [*given[0], CONTEXT], list(given[1])
        return [*given, CONTEXT]

    @property
    def subject(self) -> Any:
        """The reducer: its source is shown as the action's code."""
        return self._reducer

    @property
    def bound(self) -> dict[str, Any]:
        """What says which branches it has, of what is not in its functions: its actions, with what is bound in them."""
        bound: dict[str, Any] = {} if self.fail == "fast" else {"fail": self.fail}
        if self._choose is None:
            bound["action"] = [_told(each) for each in (self._action if isinstance(self._action, list | tuple) else [self._action])]
        return bound

    def _methods(self) -> Iterable[Callable[..., Any]]:
        return (self._state, self._reducer, *(() if self._choose is None else (self._choose,)))

    def is_async(self) -> bool:
        """Returns whether it has to be awaited: if one of its functions, or of the actions that are given, has."""
        if self._awaits or super().is_async():
            return True
        given = self._action if isinstance(self._action, list | tuple) else [] if self._choose is not None else [self._action]
        return any(_awaits(each) for each in given)

    def actions(self, state: State[Any], context: ApplicationContext, inputs: dict[str, Any]) -> Any:
        """Returns the actions."""
        return self._action if self._choose is None else called(self._choose, state, context, inputs)

    def states(self, state: State[Any], context: ApplicationContext, inputs: dict[str, Any]) -> Any:
        """Returns the states."""
        return called(self._state, state, context, inputs)

    def reduce(self, state: State[Any], states: Any) -> Any:
        """Returns the state that the reducer makes."""
        return self._reducer(state, states)


def map_reduce_action(
    action: Any,
    state: Callable[..., Any],
    reducer: Callable[..., Any],
    reads: Sequence[str],
    writes: Sequence[str],
    inputs: Inputs = (),
    **rules: Any,
) -> PassThroughMapActionsAndStates:
    """Returns a parallel action of functions; `rules` are limit, fail, task_retry, task_timeout, and awaits, for branches that turn out to be async."""
    return PassThroughMapActionsAndStates(action, state, reducer, reads, writes, inputs, **rules)


def _is_graph(given: Any) -> bool:
    return isinstance(given, Action | Graph | RunnableGraph) or hasattr(given, MARK)


def _awaits(given: Any) -> bool:
    try:
        graph = RunnableGraph.create(given).graph
    except GvError:
        return False  # told when it is run
    return any(each.terms().is_async for each in graph.actions)  # type: ignore[attr-defined]


def _told(given: Any) -> Any:
    """Returns what a branch runs, as it is recorded: of one action which it is, and what is bound; of a graph its actions and transitions."""
    graph = RunnableGraph.create(given)
    actions = [_action_told(each) for each in graph.graph.actions]
    if len(actions) == 1 and graph.halt_after == [graph.entrypoint]:
        return actions[0]
    return [graph.entrypoint, graph.halt_after, actions, graph.graph.to_dict()["transitions"]]


def _action_told(action: Any) -> Any:
    name = f"{getattr(action.subject, '__module__', '')}.{getattr(action.subject, '__qualname__', '')}"
    return [name, dict(action.bound)] if action.bound else name
