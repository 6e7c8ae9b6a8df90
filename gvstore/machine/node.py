"""What a graph sees of an action: its name, what it reads and writes, what it is given, its tags.

Graphs, findings and drawings need no more, and import no action.  A function
becomes a node by what its decorator leaves on it, under `MARK`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

MARK = "__gv_action__"  # on a decorated function: the unnamed node that it stands for


@runtime_checkable
class Node(Protocol):
    """An action, as far as a graph goes; `with_name` returns it under a name."""

    @property
    def name(self) -> str | None: ...

    @property
    def reads(self) -> Sequence[str]: ...

    @property
    def writes(self) -> Sequence[str]: ...

    @property
    def inputs(self) -> Any: ...

    @property
    def tags(self) -> Sequence[str]: ...

    def with_name(self, name: str) -> Any: ...


def node_of(value: object) -> Node | None:
    """Returns the node that a value is or, as a decorated function, stands for; None if it is neither."""
    marked = getattr(value, MARK, None)
    if marked is not None and isinstance(marked, Node):
        return marked
    return value if isinstance(value, Node) and not isinstance(value, type) else None


def name_of(node: Node) -> str:
    """Returns the name of a node that is in a graph."""
    return node.name or ""


def inputs_of(node: Node) -> tuple[list[str], list[str]]:
    """Returns the inputs that a node must be given, and those that it may; not what the machine itself gives (`__context`)."""
    given = node.inputs
    both = isinstance(given, tuple) and len(given) == 2 and not isinstance(given[0], str)
    required, optional = given if both else (given, [])
    return [each for each in required if not each.startswith("__")], [each for each in optional if not each.startswith("__")]
