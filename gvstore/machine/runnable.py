"""A graph, with where it begins and where it halts: what a branch of a parallel action runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gvstore.machine.action_class import Action
from gvstore.machine.application_graph import ApplicationGraph
from gvstore.machine.graph import Graph, GraphBuilder
from gvstore.machine.halts import named
from gvstore.machine.node import MARK, name_of
from gvstore.machine.parallel_fault import TaskFault


@dataclass
class RunnableGraph:
    """A graph that begins at `entrypoint` and halts after any of `halt_after`; without one of these it runs to its end.

    Raises:
        TaskFault: it is no graph.
        UnknownAction: the graph has no such entrypoint.
    """

    graph: Graph
    entrypoint: str
    halt_after: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not isinstance(self.graph, Graph):
            raise TaskFault(
                f"a RunnableGraph has a graph, not {type(self.graph).__name__}",
                hint="GraphBuilder().with_actions(...).build() makes one; RunnableGraph.create(action) takes an action.",
            )
        self.graph.get_action(self.entrypoint)
        self.halt_after = list(named(self.halt_after, "halt_after"))

    @staticmethod
    def create(from_: Any) -> RunnableGraph:
        """Returns a graph of one action, or of a decorated function; of a graph, one that begins at its entrypoint, or first action, and runs to its end.

        Raises:
            TaskFault: it is none of these.
        """
        if isinstance(from_, RunnableGraph):
            return from_
        if isinstance(from_, Graph):
            return RunnableGraph(from_, name_of(ApplicationGraph.of(from_).entrypoint), [])
        action = getattr(from_, MARK, from_)
        if not isinstance(action, Action):
            hint = "Give an action, a function decorated with @action(reads=[...], writes=[...]), or a RunnableGraph."
            raise TaskFault(f"a branch runs an action or a graph, not {_shown(from_)}", hint=hint)
        if action.name is None:
            action = action.with_name(getattr(action, "__name__", type(action).__name__))
        graph = GraphBuilder().with_actions(action).build()
        return RunnableGraph(graph, name_of(action), [name_of(action)])


SubgraphType = Action | Callable[..., Any] | Graph | RunnableGraph


def _shown(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}: give an instance, {value.__name__}(...)"
    if callable(value) and hasattr(value, "__name__"):
        return f"the function {value.__name__}, which has no @action above it"
    return f"{type(value).__name__}: {value!r}"[:80]
