"""A machine as it was typed, before anybody looked whether it holds together.

Builders add to it and raise nothing: what can't be read becomes a finding, so
that all that is wrong is told at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field

from gvstore.machine.condition import Condition, default
from gvstore.machine.finding import Finding
from gvstore.machine.node import Node, node_of
from gvstore.machine.transition import ANY

SHAPE = 'A transition is ("from", "to"), (["from", ...], "to") or ("from", "to", condition).'


@dataclass(frozen=True, slots=True)
class Edge:
    """A transition by names; `number` counts those typed, from 1: a joint one has one number."""

    source: str
    target: str
    condition: Condition
    number: int

    @property
    def typed(self) -> str:
        """The transition as it could be typed."""
        last = "" if self.condition.is_default else f", {self.condition.typed}"
        return f'("{self.source}", "{self.target}"{last})'

    @property
    def where(self) -> str:
        """Which transition it is, for a message."""
        return f"transition {self.number}: {self.typed}"


@dataclass(slots=True)
class Draft:
    """Named nodes and edges by name, in the order they came, and what could not be read."""

    nodes: list[tuple[str, Node]] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    spoiled: set[str] = field(default_factory=set)  # names of what is no action: not unknown as well
    count: int = 0

    def add_action(self, value: object, name: str | None = None) -> None:
        """Adds an action, or a decorated function, under its own name or the one given."""
        node = node_of(value)
        called = name or (node.name if node is not None else None) or getattr(value, "__name__", None)
        if node is None:
            self.spoiled.add(called or "")
            self.findings.append(_no_action(value, called))
        elif called is None:
            kind = type(value).__name__
            self.findings.append(
                Finding("unnamed-action", f"an action of type {kind} has no name", "with_actions", f"Type with_actions(name={kind}(...)).")
            )
        elif node.name == called:
            self.nodes.append((called, node))
        else:
            try:
                self.nodes.append((called, node.with_name(called)))
            except ValueError as e:
                self.spoiled.add(called)
                remedy = f'Type with_actions({node.name}=...), or begin with_transitions from "{node.name}".'
                self.findings.append(Finding("renamed-action", f"{called} has another name already: {e}", "with_actions", remedy))

    def add_transition(self, typed: object) -> None:
        """Adds one transition as it was typed; a joint one becomes several edges."""
        self.count += 1
        where = f"transition {self.count}: {typed!r}"
        if not isinstance(typed, tuple | list) or len(typed) not in (2, 3):
            self.findings.append(Finding("no-transition", "this is not a transition", where, SHAPE))
            return
        sources, target, condition = typed if len(typed) == 3 else (*typed, default)
        names = list(sources) if isinstance(sources, list | tuple | set) else [sources]
        for name in (*names, target):
            if not isinstance(name, str):
                remedy = f'Type its name: "{getattr(name, "__name__", None) or getattr(name, "name", None) or "name"}".'
                self.findings.append(Finding("no-name", f"an action is meant by its name, not by {name!r}", where, remedy))
        if target == ANY:
            remedy = f'"{ANY}" stands for the sources: ("{ANY}", "name").'
            self.findings.append(Finding("no-name", f'"{ANY}" is no target', where, remedy))
        if not names:
            self.findings.append(Finding("no-transition", "a transition without a source", where, SHAPE))
        if not isinstance(condition, Condition):
            remedy = _condition_remedy(condition)
            self.findings.append(Finding("no-condition", f"{condition!r} is not a condition", where, remedy))
        elif target != ANY and all(isinstance(name, str) for name in (*names, target)):
            self.edges.extend(Edge(name, target, condition, self.count) for name in dict.fromkeys(names))

    def expanded(self) -> list[Edge]:
        """Returns the edges with "*" written out: an edge from every action but the target."""
        names = list(dict.fromkeys(name for name, _ in self.nodes))
        return [
            each
            for edge in self.edges
            for each in (
                [edge]
                if edge.source != ANY
                else [Edge(name, edge.target, edge.condition, edge.number) for name in names if name != edge.target]
            )
        ]


def by_name(nodes: Sequence[tuple[str, Node]]) -> dict[str, Node]:
    """Returns the nodes by name; of two under one name the first."""
    found: dict[str, Node] = {}
    for name, node in nodes:
        found.setdefault(name, node)
    return found


def _no_action(value: object, name: str | None) -> Finding:
    shown = name or repr(value)
    if inspect.isclass(value):
        why, remedy = "a class, not an instance", f"Type with_actions({name}={value.__name__}(...))."
    elif inspect.isroutine(value):
        inner = getattr(value, "__name__", "function")
        why = "a function without @action"
        remedy = f"Type @action(reads=[...], writes=[...]) above `def {inner}`."
        if inner == "<lambda>":
            why, remedy = "a lambda", "Write a function and type @action(reads=[...], writes=[...]) above it."
    else:
        why, remedy = f"{type(value).__name__}: {value!r}"[:80], "Give functions decorated with @action(reads=[...], writes=[...]), or actions."
    return Finding("no-action", f"{shown} is not a valid action: it is {why}", "with_actions", remedy)


def _condition_remedy(value: object) -> str:
    if isinstance(value, str):
        return f"Type expr({value!r})."
    if isinstance(value, bool):
        return "Leave it out: a transition without condition is always taken." if value else "Leave the transition out."
    if isinstance(value, type) and issubclass(value, BaseException):
        return f"Type on_error({value.__name__})."
    if isinstance(value, dict):
        return f"Type when({', '.join(f'{key}={each!r}' for key, each in value.items())})."
    if callable(value):
        return f'Type Condition.lmda({getattr(value, "__name__", "function")}, ["key", ...]), with the keys that it reads.'
    return 'Type when(key=value), expr("key > 3"), on_error(ExceptionType) or default.'
