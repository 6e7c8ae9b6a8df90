"""The marks by which a definition is known to be a component, told from names alone.

A mark is a decorator or a call that resolves, through the module's imports,
to `register` of gvstore (or of enact, whose programs run unchanged), under
whatever name it was imported.  `Invokable` as a base is told the same way.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Final

ROOTS: Final = frozenset({"gvstore", "enact"})
"""The packages whose `register` counts."""

_UNSEEN: Final = {"gv": "gvstore", "gvstore": "gvstore", "enact": "enact"}
"""What these names mean where no import is in sight: a notebook imports in another cell."""

_REGISTERS: Final = frozenset({"register"})
_MARKS: Final = frozenset({"register", "typed_invokable"})
_ACTIONS: Final = frozenset({"action", "streaming_action"})
_ACTION_BASES: Final = frozenset({
    "Action", "SingleStepAction", "StreamingAction", "SingleStepStreamingAction", "AsyncStreamingAction",
    "TaskBasedParallelAction", "MapActionsAndStates", "MapActions", "MapStates",
})  # fmt: skip
_BASES: Final = frozenset({"Invokable", "InvokableBase", "AsyncInvokable", "AsyncInvokableBase"})


def imported_names(body: Sequence[ast.stmt], statements: Sequence[ast.stmt], package: str = "") -> dict[str, str]:
    """Returns what the imports among a module's `statements` bind, as name to dotted origin; `*` lists starred modules.

    `package` is the dotted package that the module lies in, for relative imports.
    Plain aliases (`register = gv.register`) at module level, in its `body`, are followed.
    """
    names: dict[str, str] = {}
    stars: list[str] = []
    for node in statements:
        if isinstance(node, ast.Import):
            for alias in node.names:
                local = alias.asname or alias.name.partition(".")[0]
                names[local] = alias.name if alias.asname else local
        elif isinstance(node, ast.ImportFrom):
            origin = absolute_module(node, package)
            for alias in node.names:
                if alias.name == "*":
                    stars.append(origin)
                else:
                    names[alias.asname or alias.name] = f"{origin}.{alias.name}" if origin else alias.name
    for statement in body:
        if (
            isinstance(statement, ast.Assign)
            and len(statement.targets) == 1
            and isinstance(statement.targets[0], ast.Name)
        ):
            origin = dotted_origin(statement.value, names)
            if origin and statement.targets[0].id not in names:
                names[statement.targets[0].id] = origin
    if stars:
        names["*"] = " ".join(stars)
    return names


def absolute_module(node: ast.ImportFrom, package: str) -> str:
    """Returns the dotted module that a `from ... import` names, its leading dots resolved against `package`."""
    if not node.level:
        return node.module or ""
    parents = package.split(".") if package else []
    kept = parents[: len(parents) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def dotted_origin(expression: ast.expr, names: Mapping[str, str]) -> str:
    """Returns where a dotted name comes from (`gv.register` is `gvstore.register`), or "" if no import tells."""
    parts: list[str] = []
    while isinstance(expression, ast.Attribute):
        parts.append(expression.attr)
        expression = expression.value
    if not isinstance(expression, ast.Name):
        return ""
    first = expression.id
    origin = names.get(first, "")
    if not origin and parts:
        origin = _UNSEEN.get(first, "")
    if not origin and not parts:
        origin = next((f"{star}.{first}" for star in names.get("*", "").split() if is_ours(star)), "")
    return ".".join([origin, *reversed(parts)]) if origin else ""


def is_ours(dotted: str) -> bool:
    """Returns whether a module, or what is in one, is of a package whose marks count."""
    return dotted.partition(".")[0] in ROOTS


def is_register(expression: ast.expr, names: Mapping[str, str]) -> bool:
    """Returns whether a decorator is `register`, bare or called: it says who is recorded, not what is done."""
    return _is_one_of(expression, names, _REGISTERS)


def is_mark(expression: ast.expr, names: Mapping[str, str]) -> bool:
    """Returns whether a decorator makes a component; `typed_invokable(int, str)` does more than that."""
    return _is_one_of(expression, names, _MARKS)


def is_action(expression: ast.expr, names: Mapping[str, str]) -> bool:
    """Returns whether a decorator makes a machine's action: `@action(...)`, `@action.pydantic(...)`, `@streaming_action(...)`."""
    if isinstance(expression, ast.Call):
        expression = expression.func
    if isinstance(expression, ast.Attribute) and expression.attr == "pydantic":
        expression = expression.value
    return _ours(dotted_origin(expression, names), _ACTIONS)


def is_action_base(base: ast.expr, names: Mapping[str, str]) -> bool:
    """Returns whether a base class is one of a machine's kinds of `Action`."""
    if isinstance(base, ast.Subscript):
        base = base.value
    return _ours(dotted_origin(base, names), _ACTION_BASES)


def is_invokable(base: ast.expr, names: Mapping[str, str]) -> bool:
    """Returns whether a base class is gvstore's `Invokable`, plain or `Invokable[str, int]`."""
    if isinstance(base, ast.Subscript):
        base = base.value
    return _ours(dotted_origin(base, names), _BASES)


def _is_one_of(expression: ast.expr, names: Mapping[str, str], wanted: frozenset[str]) -> bool:
    if isinstance(expression, ast.Call):
        expression = expression.func
    return _ours(dotted_origin(expression, names), wanted)


def _ours(origin: str, wanted: frozenset[str]) -> bool:
    root, _, rest = origin.partition(".")
    return root in ROOTS and rest.rpartition(".")[2] in wanted
