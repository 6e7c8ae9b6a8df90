"""Graphs of actions: which there are, and what comes after which.

A graph says nothing of state or running: several applications may share one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gvstore.errors import UsageFault
from gvstore.machine.condition import Condition
from gvstore.machine.draft import Draft, Edge
from gvstore.machine.finding import Finding, meant
from gvstore.machine.node import Node, inputs_of, name_of
from gvstore.machine.transition import Transition
from gvstore.machine.validate import checked, validate

if TYPE_CHECKING:
    from gvstore.machine.visualize import Drawing


class UnknownAction(UsageFault, ValueError):
    """No action, or no tag, of this name is in the graph."""

    def __init__(self, kind: str, name: str, known: Sequence[str]) -> None:
        self.name, self.known = name, tuple(known)
        super().__init__(f"{kind} {name} not found in graph", hint=meant(name, known, f"There are: {', '.join(known) or 'none'}."))


class Graph:
    """Actions and the transitions between them, in the order they were given."""

    def __init__(self, actions: Sequence[Node], transitions: Sequence[Transition]) -> None:
        self.actions, self.transitions = list(actions), list(transitions)
        self._nodes = {name_of(action): action for action in self.actions}
        self._edges: dict[str, list[Transition]] = {name: [] for name in self._nodes}
        for transition in self.transitions:
            self._edges.setdefault(name_of(transition.from_), []).append(transition)

    def get_action(self, name: str) -> Node:
        """Returns the action of this name.

        Raises:
            UnknownAction: there is none; names the near ones.
        """
        if name not in self._nodes:
            raise UnknownAction("action", name, list(self._nodes))
        return self._nodes[name]

    def get_actions_by_tag(self, tag: str) -> list[Node]:
        """Returns the actions that carry a tag, in order.

        Raises:
            UnknownAction: no action does.
        """
        found = [action for action in self.actions if tag in action.tags]
        if not found:
            raise UnknownAction("tag", tag, list(dict.fromkeys(each for action in self.actions for each in action.tags)))
        return found

    def get_next_node(self, prior_step: str | None, state: Mapping[str, Any], entrypoint: str) -> Node | None:
        """Returns what comes after `prior_step`, or the entrypoint where nothing ran yet; None at the end.

        The first transition whose condition holds is taken; those on errors are not looked at.

        Raises:
            UnknownAction: the graph has no such action.
            MissingKeys: the state lacks what a condition reads.
        """
        if prior_step is None:
            return self.get_action(entrypoint)
        self.get_action(prior_step)
        for transition in self._edges[prior_step]:
            if transition.on_error is None and transition.condition.run(state)[Condition.KEY]:
                return transition.to
        return None

    def get_error_transition(self, failed: str, error: BaseException, visits: Mapping[int, int]) -> tuple[int, Transition] | None:
        """Returns the transition that an action's error takes, with its number among the action's transitions; None: it is raised.

        `visits` says how often in a row each number was taken; the caller counts,
        and forgets the counts when the action succeeds or another edge is taken.
        """
        for number, transition in enumerate(self._edges.get(failed, [])):
            condition = transition.on_error
            if condition is not None and condition.admits(error, visits.get(number, 0)):
                return number, transition
        return None

    def transitions_from(self, name: str) -> list[Transition]:
        """Returns the transitions of one action, in the order in which they are tried."""
        return list(self._edges.get(name, []))

    def to_dict(self) -> dict[str, Any]:
        """Returns the graph as plain data: actions with what they read and write, transitions by name."""
        return {
            "type": "graph",
            "actions": [_described(action) for action in self.actions],
            "transitions": [
                {"from": name_of(each.from_), "to": name_of(each.to), "condition": each.condition.name} for each in self.transitions
            ],
        }

    def visualize(self, output_file_path: Any = None, **options: Any) -> Drawing:
        """Returns a drawing, and writes it where a path is given, in the form that its suffix says; see `visualize.visualize`."""
        from gvstore.machine.visualize import visualize

        return visualize(self, output_file_path, **options)

    def __repr__(self) -> str:
        return f"<Graph: {len(self.actions)} actions, {len(self.transitions)} transitions>"


class GraphBuilder:
    """Collects actions and transitions; `build` looks at them all."""

    def __init__(self) -> None:
        self._draft = Draft()

    @property
    def draft(self) -> Draft:
        """What was typed so far."""
        return self._draft

    @property
    def actions(self) -> list[Node]:
        """The actions so far."""
        return [node for _, node in self._draft.nodes]

    @property
    def transitions(self) -> list[Edge]:
        """The transitions so far, by name; "*" stands as it was typed."""
        return list(self._draft.edges)

    def with_actions(self, *actions: object, **named: object) -> GraphBuilder:
        """Adds actions, and functions decorated with `@action`, by their own names or by those given."""
        for action in actions:
            self._draft.add_action(action)
        for name, action in named.items():
            self._draft.add_action(action, name)
        return self

    def with_transitions(self, *transitions: object) -> GraphBuilder:
        """Adds transitions: ("from", "to"), (["from", ...], "to"), ("*", "to", condition).

        Those of one source are tried in order, and the first whose condition holds
        is taken; without condition it always is.
        """
        for transition in transitions:
            self._draft.add_transition(transition)
        return self

    def with_graph(self, graph: Graph) -> GraphBuilder:
        """Adds all that is in another graph.

        Raises:
            TypeError: it is none.
        """
        if not isinstance(graph, Graph):
            raise TypeError(f"with_graph() takes a Graph, as GraphBuilder.build() gives it, not {type(graph).__name__}")
        for action in graph.actions:
            self._draft.add_action(action)
        for each in graph.transitions:
            self._draft.add_transition((name_of(each.from_), name_of(each.to), each.condition))
        return self

    def findings(self, **context: Any) -> list[Finding]:
        """Returns all that is wrong so far; `context` as `validate` takes it."""
        return validate(self._draft, **context)

    def build(self) -> Graph:
        """Returns the graph.

        Raises:
            MachineFault: it can't be one; all findings are told.
        """
        checked(self.findings())
        return graph_of(self._draft)


def graph_of(draft: Draft) -> Graph:
    """Returns the graph of a draft in which nothing fatal was found."""
    nodes = dict(draft.nodes)
    edges = [Transition(nodes[edge.source], nodes[edge.target], edge.condition) for edge in draft.expanded()]
    return Graph([node for _, node in draft.nodes], edges)


def _described(action: Node) -> dict[str, Any]:
    required, optional = inputs_of(action)
    return {
        "name": action.name,
        "reads": sorted(action.reads),
        "writes": sorted(action.writes),
        "inputs": sorted(required),
        "optional_inputs": sorted(optional),
        "tags": sorted(action.tags),
    }
