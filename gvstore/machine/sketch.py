"""What a drawing of a machine shows, before it has a form: boxes with lines of text, arrows with labels.

Every form (text, Mermaid, DOT, SVG) is written from a sketch, so that all show
the same.  Several transitions between two actions in the same style are one arrow.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from gvstore.machine.graph import Graph
from gvstore.machine.node import Node, inputs_of, name_of
from gvstore.machine.transition import Transition

LABEL_COLUMNS, LABEL_LINES = 26, 4


class Style(Enum):
    """How an arrow is drawn: always taken, under a condition, on an error."""

    ALWAYS = "always"
    CONDITION = "condition"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Box:
    """An action: its name, and lines on what it is given, reads and writes.  `entry`: it runs first; `end`: nothing follows."""

    name: str
    details: tuple[str, ...]
    entry: bool
    end: bool


@dataclass(frozen=True, slots=True)
class Arrow:
    """From box to box, by their numbers; `labels` are whole, one for each condition that is shown."""

    source: int
    target: int
    style: Style
    labels: tuple[str, ...]
    orders: tuple[int, ...] = (0,)  # of each label: the number of its transition; of no label: of the arrow's first

    @property
    def lines(self) -> tuple[str, ...]:
        """The labels cut into short lines."""
        return tuple(line for label in self.labels for line in wrapped(label))


@dataclass(frozen=True, slots=True)
class Sketch:
    """Boxes and arrows, in the order of the graph."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def sketch(
    graph: Graph, *, entrypoint: str | None = None, include_conditions: bool = True, include_state: bool = False
) -> Sketch:
    """Returns what is to be drawn; the entrypoint is the first action if it is None.

    Raises:
        UnknownAction: the graph has no such entrypoint.
    """
    numbers = {name_of(action): number for number, action in enumerate(graph.actions)}
    if entrypoint is not None:
        graph.get_action(entrypoint)
    first = entrypoint if entrypoint is not None else next(iter(numbers), None)
    boxes = tuple(
        Box(name, _details(action, include_state), name == first, not graph.transitions_from(name))
        for name, action in zip(numbers, graph.actions, strict=True)
    )
    arrows: dict[tuple[int, int, Style], dict[str, int]] = {}
    for order, transition in enumerate(graph.transitions):
        ends = numbers[name_of(transition.from_)], numbers[name_of(transition.to)]
        label = transition.condition.name if include_conditions and not transition.condition.is_default else ""
        arrows.setdefault((*ends, _style(transition)), {}).setdefault(label, order)
    return Sketch(
        boxes,
        tuple(
            Arrow(source, target, style, tuple(filter(None, labels)), tuple(labels.values()))
            for (source, target, style), labels in arrows.items()
        ),
    )


def wrapped(label: str) -> list[str]:
    """Returns a label as a few short lines; what is too much ends in an ellipsis."""
    return textwrap.wrap(
        " ".join(label.split()), LABEL_COLUMNS, max_lines=LABEL_LINES, placeholder=" …", break_long_words=True, break_on_hyphens=False
    )


def _style(transition: Transition) -> Style:
    if transition.on_error is not None:
        return Style.ERROR
    return Style.ALWAYS if transition.condition.is_default else Style.CONDITION


def _details(action: Node, include_state: bool) -> tuple[str, ...]:
    required, optional = inputs_of(action)
    lines = [("given", [*required, *(f"{name}?" for name in optional)])]
    if include_state:
        lines += [("reads", list(action.reads)), ("writes", list(action.writes))]
    return tuple(f"{word} {_listed(names)}" for word, names in lines if names)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
