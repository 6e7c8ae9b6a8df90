"""What stands below a node of a syntax tree, found quickly.

`ast.iter_child_nodes` asks every field of every node; of most fields it is
known that no node stands in them, and statements stand in few.
"""

from __future__ import annotations

import ast
from typing import Final

# Fields that never hold a node that is looked for: names, constants, operators, contexts.
_BARE: Final = frozenset({
    "arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "kwd_attrs", "level", "module", "name",
    "names", "op", "ops", "rest", "simple", "str", "tag", "type_comment",
})  # fmt: skip
_STATEMENTS: Final = ("body", "handlers", "orelse", "finalbody", "cases")
_below: dict[type[ast.AST], tuple[str, ...]] = {ast.Constant: (), ast.MatchSingleton: ()}


def children(node: ast.AST) -> list[ast.AST]:
    """Returns the nodes right below a node, in the order of the text; operators and contexts left out."""
    kind = node.__class__
    fields = _below.get(kind)
    if fields is None:
        fields = _below[kind] = _fields(kind)
    found: list[ast.AST] = []
    for field in fields:
        value = getattr(node, field, None)
        if value.__class__ is list:
            found += value
            if None in value:  # keys of `{**other}`, defaults of keywords
                found = [each for each in found if each is not None]
        elif value is not None:
            found.append(value)
    return found


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    if kind.__name__ == "TypeAlias":  # since Python 3.12; its name is a node
        return kind._fields
    return tuple(field for field in kind._fields if field not in _BARE)


def statements(tree: ast.Module) -> list[ast.stmt]:
    """Returns every statement of a module, those inside others too; what stands outside comes first, as in `ast.walk`."""
    found: list[ast.AST] = list(tree.body)
    for node in found:  # which grows meanwhile
        for field in _STATEMENTS:
            below = getattr(node, field, None)
            if below.__class__ is list:
                found += below
    return [node for node in found if isinstance(node, ast.stmt)]
