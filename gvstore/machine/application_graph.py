"""A graph with its beginning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gvstore.machine.graph import Graph, UnknownAction
from gvstore.machine.node import Node, inputs_of, name_of
from gvstore.machine.transition import Transition


class ApplicationGraph(Graph):
    """What an application walks: actions, transitions, and the action that runs first."""

    def __init__(self, actions: Sequence[Node], transitions: Sequence[Transition], entrypoint: Node | str | None = None) -> None:
        """Takes the parts of a graph; without an entrypoint it is the first action.

        Raises:
            UnknownAction: the graph has no such entrypoint, or nothing at all.
        """
        super().__init__(actions, transitions)
        if not self.actions:
            raise UnknownAction("action", name_of(entrypoint) if isinstance(entrypoint, Node) else entrypoint or "to begin with", [])
        if entrypoint is None:
            self.entrypoint = self.actions[0]
        else:
            self.entrypoint = self.get_action(name_of(entrypoint) if isinstance(entrypoint, Node) else entrypoint)
        self.takers: dict[str, list[str]] = {}  # of each input, the actions that take it
        for action in self.actions:
            for names in inputs_of(action):
                for name in names:
                    self.takers.setdefault(name, []).append(name_of(action))

    def to_dict(self) -> dict[str, Any]:
        """Returns the graph as plain data, with the name of its entrypoint."""
        return {**super().to_dict(), "type": "application_graph", "entrypoint": name_of(self.entrypoint)}

    @classmethod
    def of(cls, graph: Graph, entrypoint: str | None = None) -> ApplicationGraph:
        """Returns a graph with an entrypoint.  Raises as the constructor."""
        if isinstance(graph, ApplicationGraph) and entrypoint in (None, name_of(graph.entrypoint)):
            return graph
        return cls(graph.actions, graph.transitions, entrypoint)
